/**
 * Follows the bytes of a client through a recorded conversation.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Said } from "./said.ts";
import type { Cursor } from "./script.ts";

/** More bytes than this are no secret. */
const MAX_SECRET = 64 * 1024;

const EMPTY = Buffer.alloc(0);

/** What stands on the tape in the place of a secret; in front of it may be its length, as Redis writes it. */
const PLACEHOLDER = /(?:\$\d+\r\n)?\[redacted[^\]\r\n]*\]/g;

/** Bytes that must come as they are, or whatever comes in the place of a secret. */
interface Part {
  /** `undefined`: a secret, up to what follows; or as long as it says. */
  readonly bytes: Buffer | undefined;
  /** The secret says its length first. */
  readonly counted?: boolean;
  /** How many bytes of the recording are over with it. */
  readonly end: number;
}

/** Cuts what a client said into parts. */
export function partsOf(said: readonly Said[]): Part[] {
  const bytes = Buffer.concat(said.filter(({ from }) => from === "client").map(({ data }) => data));
  const text = bytes.toString("latin1");
  const parts: Part[] = [];
  let at = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    if (match.index > at) parts.push({ bytes: bytes.subarray(at, match.index), end: match.index });
    at = match.index + match[0].length;
    parts.push({ bytes: undefined, counted: match[0].startsWith("$"), end: at });
  }
  if (at < bytes.length) parts.push({ bytes: bytes.subarray(at), end: bytes.length });
  return parts;
}

/** Compares bytes as they come, wherever the network has cut them. */
export class ByteCursor implements Cursor<Uint8Array> {
  readonly #parts: readonly Part[];
  #part = 0;
  /** How much of the part has come. */
  #at = 0;
  /** What has come of a secret, or of what may follow it. */
  #pending: Buffer = EMPTY;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** So many bytes of the recording. */
  get heard(): number {
    const before = this.#parts[this.#part - 1]?.end ?? 0;
    return before + this.#at;
  }

  get done(): boolean {
    return this.#part >= this.#parts.length;
  }

  /** The bytes that are expected next; `undefined`: none, or anything. */
  get expected(): Uint8Array | undefined {
    return this.#parts[this.#part]?.bytes?.subarray(this.#at);
  }

  hear(live: Uint8Array): boolean {
    let rest: Buffer = this.#pending.length === 0 ? Buffer.from(live) : Buffer.concat([this.#pending, live]);
    this.#pending = EMPTY;
    while (rest.length > 0) {
      const part = this.#parts[this.#part];
      if (part === undefined) return false;
      if (part.bytes === undefined) {
        const after = part.counted ? this.#afterCounted(rest) : this.#afterSecret(rest);
        if (after === undefined) return this.#pending.length <= MAX_SECRET;
        rest = after;
        continue;
      }
      const count = Math.min(rest.length, part.bytes.length - this.#at);
      if (Buffer.compare(rest.subarray(0, count), part.bytes.subarray(this.#at, this.#at + count)) !== 0) return false;
      rest = rest.subarray(count);
      this.#at += count;
      if (this.#at === part.bytes.length) this.#turn();
    }
    return true;
  }

  #afterCounted(rest: Buffer): Buffer | undefined {
    const [head, count] = /^\$(\d{1,9})\r\n/.exec(rest.subarray(0, 16).toString("latin1")) ?? [];
    const end = head === undefined ? Infinity : head.length + Number(count);
    if (head === undefined && rest.length >= 16) return this.#tooLong();
    if (rest.length < end) {
      this.#pending = rest;
      return undefined;
    }
    this.#turn();
    return rest.subarray(end);
  }

  // What follows a secret ends it; where nothing follows, it is all that comes at once.
  #afterSecret(rest: Buffer): Buffer | undefined {
    const next = this.#parts[this.#part + 1]?.bytes;
    if (next === undefined) {
      this.#turn();
      return EMPTY;
    }
    // The client may wait for an answer in the middle of it.
    const line = next.indexOf(0x0a);
    const at = rest.indexOf(line < 0 ? next : next.subarray(0, line + 1));
    if (at < 0) {
      this.#pending = rest;
      return undefined;
    }
    this.#turn();
    return rest.subarray(at);
  }

  #tooLong(): undefined {
    this.#pending = Buffer.alloc(MAX_SECRET + 1);
    return undefined;
  }

  #turn(): void {
    this.#part++;
    this.#at = 0;
  }
}
