/**
 * Takes frames out of a stream of bytes.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { ByteQueue } from "../http1/byte_queue.ts";
import { FLAG, FRAME, type Frame, HEAD_BYTES, MAX_FRAME, PREFACE } from "./frame.ts";
import { Http2Error } from "./http2_error.ts";

/** Bytes in, frames out. The data of a DATA frame comes out while it arrives. */
export class FrameParser {
  readonly #queue = new ByteQueue();
  #preface: boolean;
  // The rest of a DATA frame.
  #left = 0;
  #flags = 0;
  #stream = 0;

  /** @param preface whether the connection preface comes first */
  constructor(preface: boolean) {
    this.#preface = preface;
  }

  /** Whether something has come that is not enough to tell of. */
  get waiting(): boolean {
    return this.#queue.length > 0;
  }

  /** Takes bytes, which the caller leaves alone from now on. */
  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /**
   * The next frame, as soon as it is there.
   *
   * @throws {Http2Error} what comes cannot be a frame; nothing follows
   */
  next(): Frame | undefined {
    if (this.#preface && !this.#skipPreface()) return undefined;
    if (this.#left > 0) return this.#data();
    const queue = this.#queue;
    if (queue.length < HEAD_BYTES) return undefined;
    const { bytes, at } = queue;
    const length = bytes.readUIntBE(at, 3);
    const type = bytes[at + 3]!;
    const flags = bytes[at + 4]!;
    // The highest bit is reserved (RFC 9113 section 4.1).
    const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    if (length > MAX_FRAME) {
      throw new Http2Error("FRAME_SIZE_ERROR", `a frame of ${length} bytes is too large (RFC 9113 section 4.2)`);
    }
    if (type === FRAME.DATA && (flags & FLAG.PADDED) === 0 && length > 0) {
      queue.skipTo(at + HEAD_BYTES);
      this.#left = length;
      this.#flags = flags;
      this.#stream = stream;
      return this.#data();
    }
    if (queue.length < HEAD_BYTES + length) return undefined;
    queue.skipTo(at + HEAD_BYTES);
    const payload = length === 0 ? bytes.subarray(0, 0) : queue.take(length);
    return { type, flags, stream, payload: content(type, flags, payload), size: length };
  }

  #data(): Frame | undefined {
    const size = Math.min(this.#left, this.#queue.length);
    if (size === 0) return undefined;
    this.#left -= size;
    const flags = this.#left > 0 ? this.#flags & ~FLAG.END_STREAM : this.#flags;
    return { type: FRAME.DATA, flags, stream: this.#stream, payload: this.#queue.take(size), size };
  }

  #skipPreface(): boolean {
    const { bytes, at, length } = this.#queue;
    const come = Math.min(length, PREFACE.length);
    if (bytes.toString("latin1", at, at + come) !== PREFACE.slice(0, come)) {
      throw new Http2Error("PROTOCOL_ERROR", "the connection does not begin with the preface (RFC 9113 section 3.4)");
    }
    if (come < PREFACE.length) return false;
    this.#queue.skipTo(at + come);
    this.#preface = false;
    return true;
  }
}

/** The payload without padding, and without the priority that nobody looks at any more (RFC 9113 section 5.3). */
function content(type: number, flags: number, payload: Buffer): Buffer {
  if (type !== FRAME.DATA && type !== FRAME.HEADERS) return payload;
  const padded = (flags & FLAG.PADDED) !== 0;
  const before = (padded ? 1 : 0) + (type === FRAME.HEADERS && (flags & FLAG.PRIORITY) !== 0 ? 5 : 0);
  const end = payload.length - (padded ? payload[0] ?? 0 : 0);
  if (before > end) {
    throw new Http2Error("PROTOCOL_ERROR", "a frame has more padding than payload (RFC 9113 section 6.1)");
  }
  return payload.subarray(before, end);
}
