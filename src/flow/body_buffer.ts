/**
 * The bytes of a body while they arrive and after.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { BodyMarks } from "./body_marks.ts";
import type { BodyOverflow, OverflowPlan } from "./body_overflow.ts";

/** Collects the pieces of a body up to a limit; what comes after it is counted and let go. */
export class BodyBuffer {
  /** All bytes have arrived. */
  complete = false;
  /** How many bytes arrived, also when they were not kept. */
  size = 0;
  /** Bytes were let go because the body is longer than the limit. */
  truncated = false;

  /** How many bytes are kept at most, all when it is undefined; changing it concerns pieces that are still to come. */
  limit: number | undefined;
  /** Where its chunks end; only there when somebody wants to know. */
  marks: BodyMarks | undefined;
  /**
   * Where it goes when it grows too large; the first bytes are kept all the same.
   *
   * @internal
   */
  plan: OverflowPlan | undefined;
  /**
   * Where it has gone.
   *
   * @internal
   */
  overflow: BodyOverflow | undefined;
  /** What it is compared by when it went elsewhere: see {@linkcode BodyOverflow.digest}. */
  digest: string | undefined;
  /** Of one that is still to be made, such as a file: how long it will be. */
  expected: number | undefined;
  /** For the tape: called when more of it has come, and when all of it has. */
  onMore: (() => void) | undefined;

  #full = false;
  // One piece is the usual case and needs no array.
  #pieces: Uint8Array | Uint8Array[] | undefined;

  /**
   * An empty body that waits for its pieces.
   *
   * @param limit how many bytes are kept at most; all by default
   */
  constructor(limit?: number) {
    this.limit = limit;
  }

  /** A body that is there already. */
  static of(bytes: Uint8Array): BodyBuffer {
    const body = new BodyBuffer();
    if (bytes.length > 0) body.push(bytes);
    body.complete = true;
    return body;
  }

  /** No body. It is shared: nothing may be pushed to it. */
  static readonly NONE: BodyBuffer = BodyBuffer.of(new Uint8Array(0));

  /**
   * Takes the next piece. It is kept without a copy where that does not pin a much larger buffer.
   *
   * @returns whether anything of it is kept
   */
  push(piece: Uint8Array): boolean {
    if (this.plan !== undefined && this.size + piece.length > this.plan.limit) this.#overflow(this.plan);
    const room = this.limit === undefined ? piece.length : Math.max(0, this.limit - this.size);
    this.size += piece.length;
    if (piece.length > room) {
      this.truncated = true;
      if (this.overflow !== undefined) this.#full = !this.overflow.take(ownBytes(piece));
    }
    if (room === 0 || piece.length === 0) return this.overflow !== undefined;
    const kept = ownBytes(piece.length > room ? piece.subarray(0, room) : piece);
    if (this.#pieces === undefined) this.#pieces = kept;
    else if (Array.isArray(this.#pieces)) this.#pieces.push(kept);
    else this.#pieces = [this.#pieces, kept];
    return true;
  }

  /** Whether more must wait until {@linkcode BodyBuffer.drained}. */
  get full(): boolean {
    return this.#full;
  }

  /** Calls once when more is welcome. */
  drained(callback: () => void): void {
    if (!this.#full || this.overflow === undefined) return callback();
    this.overflow.drained(() => {
      this.#full = false;
      callback();
    });
  }

  #overflow({ limit, begin }: OverflowPlan): void {
    this.plan = undefined;
    this.overflow = begin();
    if (this.overflow === undefined) return;
    this.limit = limit;
    for (const kept of this.pieces()) this.overflow.take(kept);
  }

  /** The kept bytes as one array. */
  bytes(): Uint8Array {
    if (Array.isArray(this.#pieces)) this.#pieces = Buffer.concat(this.#pieces);
    return this.#pieces ?? EMPTY;
  }

  /** The kept pieces in the order and sizes in which they arrived. */
  pieces(): readonly Uint8Array[] {
    return this.#pieces === undefined ? [] : Array.isArray(this.#pieces) ? this.#pieces : [this.#pieces];
  }

  /** How many bytes are kept. */
  get kept(): number {
    return Math.min(this.size, this.limit ?? this.size);
  }
}

const EMPTY = new Uint8Array(0);

/** Bytes that can be kept: a socket may read into a large slab, and keeping a small slice of it would keep the slab. */
export function ownBytes(piece: Uint8Array): Uint8Array {
  return piece.byteLength * 2 < piece.buffer.byteLength ? new Uint8Array(piece) : piece;
}
