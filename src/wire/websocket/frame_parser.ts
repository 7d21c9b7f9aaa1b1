/**
 * WebSocket frames without I/O: bytes in, events out (RFC 6455 5).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Side } from "../../flow/websocket.ts";
import { ByteQueue } from "../http1/byte_queue.ts";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  type ControlOpcode,
  type DataOpcode,
  type FrameEvent,
  PONG,
  TEXT,
} from "./frame.ts";
import { applyMask } from "./mask.ts";
import { WebSocketError } from "./websocket_error.ts";

/** What a parser has to know. */
export interface FrameParserOptions {
  /** Whether permessage-deflate was negotiated, so that RSV1 may be set (RFC 7692 6). Default: false. */
  readonly deflate?: boolean;
  /** How many bytes a frame may have. Default: 2^53-1, for no frame is ever held here. */
  readonly frameBytes?: number;
}

const NOTHING: Buffer = Buffer.alloc(0);
const MAX_CONTROL_BYTES = 125;

/**
 * Reads the frames of one direction. Strict, and the same however the bytes were split: what RFC 6455 forbids is refused with a
 * {@link WebSocketError}, again at every further call. After a close frame nothing is read any more (RFC 6455 5.5.1).
 */
export class FrameParser {
  readonly #queue: ByteQueue = new ByteQueue();
  readonly #from: Side;
  readonly #deflate: boolean;
  readonly #frameBytes: number;
  /** How many bytes of the frame's payload are to come; -1 between frames. */
  #remaining = -1;
  /** How many bytes of the payload were reported. */
  #done = 0;
  /** The mask of the frame, when it has one. */
  #key: Buffer = NOTHING;
  /** Whether a message has begun and not ended. */
  #inMessage = false;
  #closed = false;
  #failure: WebSocketError | undefined;

  /**
   * Makes a parser that is between frames.
   *
   * @param from whose frames it reads: those of a client are masked, those of a server are not
   * @param options limits, and what was negotiated
   */
  constructor(from: Side, options: FrameParserOptions = {}) {
    this.#from = from;
    this.#deflate = options.deflate ?? false;
    this.#frameBytes = options.frameBytes ?? Number.MAX_SAFE_INTEGER;
  }

  /** Takes bytes. They are not copied as a rule, so the caller must not write over them afterwards. */
  push(bytes: Uint8Array): void {
    if (!this.#closed && this.#failure === undefined) this.#queue.push(bytes);
  }

  /**
   * The next event, or `undefined`: more bytes are needed, or a close frame was the last.
   *
   * @throws {WebSocketError} the frame is refused
   */
  next(): FrameEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) return undefined;
    try {
      return this.#remaining === -1 ? this.#head() : this.#payload(this.#remaining);
    } catch (error) {
      if (error instanceof WebSocketError) this.#failure = error;
      throw error;
    }
  }

  /** How many bytes have not been consumed. */
  get buffered(): number {
    return this.#queue.length;
  }

  #head(): FrameEvent | undefined {
    const { bytes, at, length: available } = this.#queue;
    if (available < 2) return undefined;
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const opcode = first & 0x0f;
    this.#check(first, opcode);
    const masked = (second & 0x80) !== 0;
    if (masked !== (this.#from === "client")) {
      throw new WebSocketError(
        "WS_MASK",
        masked
          ? "A frame of the server is masked; only clients mask (RFC 6455 5.1)"
          : "A frame of the client is not masked (RFC 6455 5.1)",
      );
    }
    const short = second & 0x7f;
    if (opcode >= CLOSE && short > MAX_CONTROL_BYTES) {
      throw new WebSocketError("WS_CONTROL", "A control frame has more than 125 bytes (RFC 6455 5.5)");
    }
    const lengthEnd = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    const end = lengthEnd + (masked ? 4 : 0);
    if (at + available < end) return undefined;
    const length = short < 126 ? short : this.#length(bytes, at + 2, short);
    // A control frame is reported whole: it is short.
    if (opcode >= CLOSE && at + available < end + length) return undefined;

    this.#key = masked ? Buffer.from(bytes.subarray(lengthEnd, end)) : NOTHING;
    this.#done = 0;
    this.#queue.skipTo(end);
    if (opcode >= CLOSE) return this.#control(opcode as ControlOpcode, length);

    const fin = (first & 0x80) !== 0;
    this.#inMessage = !fin;
    this.#remaining = length;
    const compressed = (first & 0x40) !== 0;
    return { type: "head", head: { fin, compressed, opcode: opcode as DataOpcode, length } };
  }

  /** What the first byte may be, now. */
  #check(first: number, opcode: number): void {
    const control = opcode >= CLOSE;
    if (control ? opcode > PONG : opcode > BINARY) {
      throw new WebSocketError("WS_OPCODE", `The opcode 0x${opcode.toString(16)} is reserved (RFC 6455 5.2)`);
    }
    // Only the first frame of a data message may say that it is compressed (RFC 7692 6.1).
    const allowed = this.#deflate && (opcode === TEXT || opcode === BINARY) ? 0x40 : 0;
    if ((first & 0x70 & ~allowed) !== 0) {
      throw new WebSocketError(
        "WS_RESERVED",
        `A frame with the opcode 0x${opcode.toString(16)} has a reserved bit set; none was negotiated (RFC 6455 5.2)`,
      );
    }
    if (control) {
      if ((first & 0x80) === 0) {
        throw new WebSocketError("WS_CONTROL", "A control frame is fragmented (RFC 6455 5.5)");
      }
    } else if (this.#inMessage !== (opcode === CONTINUATION)) {
      throw new WebSocketError(
        "WS_FRAGMENT",
        this.#inMessage
          ? "A message starts before the one before it has ended (RFC 6455 5.4)"
          : "A frame continues a message, but none has started (RFC 6455 5.4)",
      );
    }
  }

  #length(bytes: Buffer, at: number, short: number): number {
    // Two numbers of 32 bits, for 64 are more than a number holds.
    const high = short === 126 ? 0 : bytes.readUInt32BE(at);
    const low = short === 126 ? bytes.readUInt16BE(at) : bytes.readUInt32BE(at + 4);
    if (high > 0x7fffffff) {
      throw new WebSocketError("WS_LENGTH", "The first bit of a 64-bit length is set (RFC 6455 5.2)");
    }
    const length = high * 2 ** 32 + low;
    if (length < (short === 126 ? 126 : 65536)) {
      throw new WebSocketError("WS_LENGTH", `The length ${length} is not written the shortest way (RFC 6455 5.2)`);
    }
    if (length > this.#frameBytes || !Number.isSafeInteger(length)) {
      throw new WebSocketError(
        "WS_TOO_LARGE",
        `A frame has ${length} bytes; the limit is ${this.#frameBytes} (RFC 6455 10.4)`,
      );
    }
    return length;
  }

  #control(opcode: ControlOpcode, length: number): FrameEvent {
    const data = this.#take(length);
    if (opcode === CLOSE) {
      this.#closed = true;
      this.#queue.clear();
    }
    return { type: "control", opcode, data };
  }

  #payload(remaining: number): FrameEvent | undefined {
    if (remaining > 0 && this.#queue.length === 0) return undefined;
    const data = this.#take(Math.min(remaining, this.#queue.length));
    const final = data.length === remaining;
    this.#remaining = final ? -1 : remaining - data.length;
    return { type: "data", data, final };
  }

  /** Takes bytes of the payload: unmasked ones as they are, masked ones into a buffer of their own. */
  #take(count: number): Buffer {
    const bytes = count === 0 ? NOTHING : this.#queue.take(count);
    if (this.#key.length === 0) return bytes;
    const clear = Buffer.allocUnsafe(count);
    applyMask(clear, 0, bytes, this.#key, this.#done);
    this.#done += count;
    return clear;
  }
}
