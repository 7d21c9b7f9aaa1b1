/**
 * Bytes that arrive in pieces and are consumed from the front.
 *
 * @module
 */
import { Buffer } from "node:buffer";

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * The unconsumed bytes in one buffer. A piece that arrives when all before it are consumed is used as it is; only a piece that
 * continues an unfinished line is copied, into a buffer that grows by doubling, so that byte-wise input stays linear.
 */
export class ByteQueue {
  /** The buffer; what counts starts at `at`. */
  bytes: Buffer = NOTHING;
  /** Where the unconsumed bytes start. */
  at = 0;
  /** The buffer that `bytes` is the filled part of, when it is our own. */
  #own: Buffer | undefined;

  /** How many bytes are not consumed. */
  get length(): number {
    return this.bytes.length - this.at;
  }

  /** Adds bytes at the end. They are not copied as a rule, so the caller leaves them alone from now on. */
  push(piece: Uint8Array): void {
    if (piece.length === 0) return;
    if (this.at === this.bytes.length) {
      this.bytes = Buffer.isBuffer(piece) ? piece : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      this.at = 0;
      this.#own = undefined;
      return;
    }
    const filled = this.bytes.length;
    if (this.#own !== undefined && filled + piece.length <= this.#own.length) {
      // Slices that were handed out all lie before `filled`: they are never written over.
      this.#own.set(piece, filled);
      this.bytes = this.#own.subarray(0, filled + piece.length);
      return;
    }
    const length = this.length + piece.length;
    const own = Buffer.allocUnsafeSlow(Math.max(length * 2, 512));
    own.set(this.bytes.subarray(this.at), 0);
    own.set(piece, this.length);
    this.#own = own;
    this.bytes = own.subarray(0, length);
    this.at = 0;
  }

  /** Consumes `count` bytes, which must be there, and returns them without copying. */
  take(count: number): Buffer {
    const { bytes, at } = this;
    const end = at + count;
    if (end < bytes.length) {
      this.at = end;
      return bytes.subarray(at, end);
    }
    // All of it: let go of the buffer, so that the parser does not keep alive what its reader has long forgotten.
    this.clear();
    return at === 0 ? bytes : bytes.subarray(at);
  }

  /** Consumes everything up to the offset `at` in `bytes`. */
  skipTo(at: number): void {
    if (at === this.bytes.length) this.clear();
    else this.at = at;
  }

  /** Forgets everything. */
  clear(): void {
    this.bytes = NOTHING;
    this.at = 0;
    this.#own = undefined;
  }
}
