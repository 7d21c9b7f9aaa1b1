/**
 * The compression of messages (RFC 7692 7.2).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { WebSocketError } from "./websocket_error.ts";

/** How one direction compresses. */
export interface DeflateSide {
  /** The base-2 logarithm of the window: 8 to 15. */
  readonly windowBits: number;
  /** Whether a message may refer to what the messages before it said (RFC 7692 7.1.1). */
  readonly takeover: boolean;
}

/** What a sender takes from the end of every message, and a receiver puts there again (RFC 7692 7.2.1, 7.2.2). */
const TAIL: Buffer = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const NOTHING: Buffer = Buffer.alloc(0);
/** Enough for the largest window and most messages behind it. */
const CHUNK_BYTES = 65536;
const { Z_SYNC_FLUSH } = zlib.constants;

/**
 * Inflates the messages of one direction, one after the other.
 *
 * A stream of node:zlib can be used synchronously for one message only. All that it would remember of the messages before is the last of
 * what it has put out; so that is put before the next one, as a block without compression (RFC 1951 3.2.4). The dictionary that zlib has for
 * this does nothing for raw data on Deno.
 */
export class Inflater {
  readonly #window: Window | undefined;
  readonly #limit: number;

  /**
   * @param side as negotiated
   * @param limit how many bytes a message may have when it is inflated
   */
  constructor(side: DeflateSide, limit: number) {
    // Some senders use 9 bits where 8 were negotiated, because zlib cannot do with 8.
    this.#window = side.takeover ? new Window(2 ** Math.max(side.windowBits, 9)) : undefined;
    this.#limit = limit;
  }

  /**
   * Inflates a message.
   *
   * @param payload that of all its frames
   * @throws {WebSocketError} `WS_DEFLATE`, `WS_TOO_LARGE`
   */
  inflate(payload: Uint8Array): Buffer {
    const window = this.#window?.bytes() ?? NOTHING;
    let plain: Buffer;
    try {
      const before = window.length > 0 ? [storedHead(window.length), window] : [];
      plain = zlib.inflateRawSync(Buffer.concat([...before, payload, TAIL]), {
        finishFlush: Z_SYNC_FLUSH,
        // Zero is no limit that zlib takes.
        maxOutputLength: Math.max(window.length + this.#limit, 1),
        chunkSize: CHUNK_BYTES,
      }).subarray(window.length);
    } catch (error) {
      if ((error as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(this.#limit);
      const why = error instanceof Error ? error.message : String(error);
      throw new WebSocketError("WS_DEFLATE", `A compressed message cannot be inflated: ${why} (RFC 7692 7.2.2)`);
    }
    this.#window?.push(plain);
    // A short message must not keep a long buffer alive.
    return plain.length * 2 < plain.buffer.byteLength ? Buffer.from(plain) : plain;
  }
}

/**
 * Deflates a message so that it can be inflated whatever came before it: it refers to nothing but itself.
 *
 * @param windowBits 9 to 15: zlib has no window of 8 bits
 */
export function deflate(data: Uint8Array, windowBits: number): Buffer {
  const bytes = zlib.deflateRawSync(data, { finishFlush: Z_SYNC_FLUSH, windowBits });
  return bytes.subarray(0, bytes.length - TAIL.length);
}

/** The error for a message that gets too large. */
export function tooLarge(limit: number): WebSocketError {
  return new WebSocketError(
    "WS_TOO_LARGE",
    `A compressed message has more than ${limit} bytes when it is inflated (RFC 6455 10.4)`,
  );
}

/** The head of a block without compression; up to 65535 bytes of data follow. */
function storedHead(length: number): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(length, 1);
  head.writeUInt16LE(length ^ 0xffff, 3);
  return head;
}

/** The last bytes of all that was pushed. */
class Window {
  readonly #size: number;
  /** Twice the size, so that a short message moves nothing as a rule. */
  #buffer: Buffer = NOTHING;
  #end = 0;

  constructor(size: number) {
    this.#size = size;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(Math.max(0, this.#end - this.#size), this.#end);
  }

  push(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#buffer.length === 0) this.#buffer = Buffer.allocUnsafeSlow(this.#size * 2);
    const last = bytes.subarray(Math.max(0, bytes.length - this.#size));
    if (this.#end + last.length > this.#buffer.length) {
      const kept = Math.min(this.#end, this.#size - last.length);
      this.#buffer.copyWithin(0, this.#end - kept, this.#end);
      this.#end = kept;
    }
    this.#buffer.set(last, this.#end);
    this.#end += last.length;
  }
}
