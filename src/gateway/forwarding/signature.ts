/**
 * Signs what a proxy says of a request, so that the server behind it can tell it from what clients have made up.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { SIGNATURE, SIGNED } from "./fields.ts";

/** So many signatures are remembered, that none is good twice. */
const MAX_REMEMBERED = 100_000;
const FORM = /^t=(\d{1,12}), ?n=([0-9a-f]{32}), ?s=([0-9a-f]{64})$/;

/** Sets the field with the signature: HMAC-SHA256 over method, target, Host and the forwarding fields, a time and a number used once. */
export function sign(headers: Headers, method: string, target: string, secret: string): void {
  const time = String(Math.floor(Date.now() / 1000));
  const nonce = randomBytes(16).toString("hex");
  headers.set(SIGNATURE, `t=${time},n=${nonce},s=${digest(secret, { time, nonce, method, target, headers })}`);
}

/** Checks signatures; each is good once. */
export class SignatureCheck {
  readonly #secret: string;
  readonly #windowMs: number;
  /** When each was made, in milliseconds. */
  readonly #seen = new Map<string, number>();
  /** What was made before is not remembered any more, and not accepted. */
  #since = -Infinity;

  /** @param windowMs how old, or how far ahead of our clock, a signature may be */
  constructor(secret: string, windowMs: number) {
    this.#secret = secret;
    this.#windowMs = windowMs;
  }

  /** What is wrong with the signature of a request; `undefined`: nothing. */
  wrong(headers: Headers, method: string, target: string): string | undefined {
    const match = FORM.exec(headers.get(SIGNATURE) ?? "");
    if (match === null) return "it has not the form of one";
    const [, time = "", nonce = "", given = ""] = match;
    const expected = digest(this.#secret, { time, nonce, method, target, headers });
    if (!timingSafeEqual(Buffer.from(given, "hex"), Buffer.from(expected, "hex"))) {
      return "it does not fit the request: another secret, or something was changed on the way";
    }
    const made = Number(time) * 1000;
    const age = Date.now() - made;
    if (Math.abs(age) > this.#windowMs) {
      return `it was made ${Math.round(Math.abs(age) / 1000)} s ${age < 0 ? "in the future" : "ago"}, ` +
        `and ${this.#windowMs / 1000} s are accepted (window)`;
    }
    if (this.#seen.has(nonce)) return "it was used before";
    if (made <= this.#since) return "it is older than those that are remembered: there were too many since";
    this.#seen.set(nonce, made);
    if (this.#seen.size > MAX_REMEMBERED) this.#forget();
    return undefined;
  }

  /** Those that are refused for their age anyway; else the older half, which is refused from now on. */
  #forget(): void {
    const late = Date.now() - this.#windowMs;
    for (const [nonce, made] of this.#seen) if (made < late) this.#seen.delete(nonce);
    if (this.#seen.size <= MAX_REMEMBERED / 2) return;
    const times = [...this.#seen.values()].sort((a, b) => a - b);
    this.#since = times[Math.floor(times.length / 2)]!;
    for (const [nonce, made] of this.#seen) if (made <= this.#since) this.#seen.delete(nonce);
  }
}

interface Signed {
  readonly time: string;
  readonly nonce: string;
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
}

function digest(secret: string, { time, nonce, method, target, headers }: Signed): string {
  // Neither a method nor a target nor a field has a line end: no two requests give the same text.
  const lines = [
    "flowtape-signature-1",
    time,
    nonce,
    method,
    target,
    ...SIGNED.map((name) => `${name}:${headers.get(name) ?? ""}`),
  ];
  return createHmac("sha256", secret).update(lines.join("\n")).digest("hex");
}
