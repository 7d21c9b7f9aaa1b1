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

/**
 * What stands on the tape in the place of a secret. In front of it may be its length, as Redis writes it; or that of what it is a part of.
 */
const PLACEHOLDER = /(?:\$\d+\r\n)?(\[redacted[^\]\r\n]*\])|\$\d+\r\n(?=[^\r\n]+\[redacted)/g;

/** Bytes that must come as they are, or whatever comes in the place of a secret. */
interface Part {
  /** `undefined`: a secret, up to what follows; or as long as it says. */
  readonly bytes: Buffer | undefined;
  /** What stands on the tape in its place; missing: a length alone. */
  readonly placeholder?: string | undefined;
  /** The secret says its length first. */
  readonly counted?: boolean;
  /** How many bytes of the recording are over with it. */
  readonly end: number;
}

/** What a client said in a recorded conversation. */
export interface ClientBytes {
  readonly bytes: Buffer;
  readonly parts: readonly Part[];
}

/** Cuts what a client said into parts. None goes on behind an answer of the server. */
export function partsOf(said: readonly Said[]): ClientBytes {
  const pieces: Buffer[] = [];
  const ends = new Set<number>();
  let length = 0;
  for (const { from, data } of said) {
    if (from === "server") ends.add(length);
    else {
      pieces.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
      length += data.length;
    }
  }
  const bytes = Buffer.concat(pieces);
  const text = bytes.toString("latin1");
  const parts: Part[] = [];
  let at = 0;
  const plain = (to: number) => {
    for (const end of [...ends].filter((end) => end > at && end < to).concat(to)) {
      if (end > at) parts.push({ bytes: bytes.subarray(at, end), end });
      at = end;
    }
  };
  for (const match of text.matchAll(PLACEHOLDER)) {
    plain(match.index);
    at = match.index + match[0].length;
    parts.push({ bytes: undefined, placeholder: match[1], counted: match[0].startsWith("$"), end: at });
  }
  plain(bytes.length);
  return { bytes, parts };
}

/** Compares bytes as they come, wherever the network has cut them. */
export class ByteCursor implements Cursor<Uint8Array> {
  /** Secrets that have come, with what stands in their places. */
  readonly learned: (readonly [placeholder: string, secret: string])[] = [];
  readonly #said: ClientBytes;
  #part = 0;
  /** How much of the part has come. */
  #at = 0;
  /** What has come of a secret, or of what may follow it. */
  #pending: Buffer = EMPTY;

  constructor(said: ClientBytes) {
    this.#said = said;
  }

  /** So many bytes of the recording. */
  get heard(): number {
    const before = this.#said.parts[this.#part - 1]?.end ?? 0;
    return before + this.#at;
  }

  get done(): boolean {
    return this.#part >= this.#said.parts.length;
  }

  /** The bytes that are expected next; `undefined`: none, or anything. */
  get next(): Buffer | undefined {
    return this.#said.parts[this.#part]?.bytes?.subarray(this.#at);
  }

  fork(): ByteCursor {
    const other = new ByteCursor(this.#said);
    other.#part = this.#part;
    other.#at = this.#at;
    other.#pending = this.#pending;
    return other;
  }

  hear(live: Uint8Array): boolean {
    return this.follow(live) === undefined;
  }

  /** Goes as far as the recording goes the same way; what is left then, `undefined` when all fits. */
  follow(live: Uint8Array): Buffer | undefined {
    let rest: Buffer = this.#pending.length === 0 ? Buffer.from(live) : Buffer.concat([this.#pending, live]);
    this.#pending = EMPTY;
    while (rest.length > 0) {
      const part = this.#said.parts[this.#part];
      if (part === undefined) return rest;
      if (part.bytes === undefined) {
        const after = part.counted ? this.#afterCounted(part, rest) : this.#afterSecret(part, rest);
        if (after === undefined) return this.#pending.length <= MAX_SECRET ? undefined : rest;
        rest = after;
        continue;
      }
      const due = part.bytes.subarray(this.#at, this.#at + rest.length);
      const count = due.compare(rest, 0, due.length) === 0 ? due.length : inCommon(due, rest);
      rest = rest.subarray(count);
      this.#at += count;
      if (this.#at === part.bytes.length) this.#turn();
      else if (count < due.length) return rest;
    }
    return undefined;
  }

  /** Where it has stopped: the bytes of the recording from the value on in which that is, and how many of them have come. */
  get around(): { readonly recorded: string; readonly back: number } | undefined {
    const text = this.#said.parts[this.#part]?.bytes?.toString("latin1");
    if (text === undefined) return undefined;
    let start = this.#at;
    while (start > 0 && this.#at - start < 4096 && WORD.test(text[start - 1]!)) start--;
    if (text[start - 1] === "$") start--;
    return { recorded: text.slice(start), back: this.#at - start };
  }

  /** Takes so many bytes of the recording as heard, whatever has come in their place. */
  skip(count: number): void {
    this.#at += count;
    if (this.#at === this.#said.parts[this.#part]?.bytes?.length) this.#turn();
  }

  /** What the recording has from an earlier place up to here, and what has come of a secret. */
  since(heard: number): Buffer {
    return Buffer.concat([this.#said.bytes.subarray(heard, this.heard), this.#pending]);
  }

  #afterCounted({ placeholder }: Part, rest: Buffer): Buffer | undefined {
    const [head, count] = /^\$(\d{1,9})\r\n/.exec(rest.subarray(0, 16).toString("latin1")) ?? [];
    const end = head === undefined ? Infinity : head.length + (placeholder === undefined ? 0 : Number(count));
    if (head === undefined && rest.length >= 16) return this.#tooLong();
    if (rest.length < end) {
      this.#pending = rest;
      return undefined;
    }
    this.#learn(placeholder, rest.subarray(head!.length, end));
    this.#turn();
    return rest.subarray(end);
  }

  // What follows a secret ends it; where nothing follows, it is all that comes at once.
  #afterSecret({ placeholder }: Part, rest: Buffer): Buffer | undefined {
    const next = this.#said.parts[this.#part + 1]?.bytes;
    if (next === undefined) {
      this.#learn(placeholder, rest);
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
    this.#learn(placeholder, rest.subarray(0, at));
    this.#turn();
    return rest.subarray(at);
  }

  #learn(placeholder: string | undefined, secret: Buffer): void {
    if (placeholder !== undefined) this.learned.push([placeholder, secret.toString("latin1")]);
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

/** What values are made of. */
const WORD = /[\w~+=-]/;

function inCommon(a: Buffer, b: Buffer): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count++;
  return count;
}
