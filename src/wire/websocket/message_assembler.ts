/**
 * Messages from frames.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { type Inflater, tooLarge } from "./deflate.ts";
import { type FrameHead, TEXT } from "./frame.ts";
import { Utf8Validator } from "./utf8.ts";
import { WebSocketError } from "./websocket_error.ts";

/** How much is kept of a message. */
export interface MessageLimits {
  /**
   * Up to so many bytes, compressed or not, a message is held until it has been decided on; a longer one passes frame by frame while
   * it arrives and cannot be edited. 0: none is held. Default: 16 MiB.
   */
  readonly holdBytes: number;
  /** How many bytes of a message are kept; where there are more it is truncated and cannot be edited. Default: 16 MiB. */
  readonly keepBytes: number;
  /** How many bytes a compressed message may have when it is inflated; with more it is refused. Default: 64 MiB. */
  readonly inflateBytes: number;
}

/** A message that is complete. */
export interface AssembledMessage {
  /** Its payload, not inflated; of an uncompressed one that is longer than `keepBytes`, the first of it. */
  readonly payload: Uint8Array;
  /** How many bytes of the payload each of its frames had. */
  readonly sizes: readonly number[];
  /** The whole message, inflated; or as much of an uncompressed one as is kept. */
  readonly plain: Uint8Array;
  /** How many bytes it had without compression. */
  readonly size: number;
}

/** What a further frame counts for besides its payload, so that a message of empty frames has an end. */
const FRAME_COST = 16;

/** Collects the frames of one message after the other, and checks text as it comes. */
export class MessageAssembler {
  readonly #limits: MessageLimits;
  readonly #inflater: Inflater | undefined;
  readonly #utf8: Utf8Validator = new Utf8Validator();
  #first: FrameHead | undefined;
  #payload: BodyBuffer = new BodyBuffer();
  #sizes: number[] = [];
  #cost = 0;

  /** @param inflater present when compression was negotiated */
  constructor(limits: MessageLimits, inflater: Inflater | undefined) {
    this.#limits = limits;
    this.#inflater = inflater;
  }

  /** The head of the message's first frame; `undefined` between messages. */
  get first(): FrameHead | undefined {
    return this.#first;
  }

  /** How many bytes the message has so far, with those that its last frame has announced. */
  get cost(): number {
    return this.#cost;
  }

  /** The payload that has arrived, and how it is divided into frames; the last of them may be incomplete. */
  get payload(): Uint8Array {
    return this.#payload.bytes();
  }

  /** How many bytes each frame has, or will have. */
  get sizes(): readonly number[] {
    return this.#sizes;
  }

  /** A frame starts. */
  begin(head: FrameHead): void {
    if (this.#first === undefined) {
      this.#first = head;
      // Compressed bytes are needed to the last, to be inflated.
      this.#payload = new BodyBuffer(head.compressed ? undefined : this.#limits.keepBytes);
      this.#sizes = [];
      this.#cost = 0;
      this.#utf8.reset();
    } else {
      this.#cost += FRAME_COST;
    }
    this.#cost += head.length;
    if (this.#first.compressed && this.#cost > this.#limits.inflateBytes) throw tooLarge(this.#limits.inflateBytes);
    // A message that is neither held nor inflated may have any number of frames: nobody will ask for their sizes.
    if (this.#first.compressed || this.#cost <= this.#limits.keepBytes) this.#sizes.push(head.length);
  }

  /** A piece of its payload. */
  push(piece: Uint8Array): void {
    this.#payload.push(piece);
    const first = this.#first!;
    if (first.opcode === TEXT && !first.compressed && !this.#utf8.push(piece)) throw notText();
  }

  /** The last frame is complete. */
  finish(): AssembledMessage {
    const first = this.#first!;
    const payload = this.#payload.bytes();
    const size = this.#payload.size;
    const sizes = this.#sizes;
    this.#first = undefined;
    // Lets go of what the caller may keep or not.
    this.#payload = BodyBuffer.NONE;
    let plain = payload;
    if (first.compressed) {
      plain = this.#inflater!.inflate(payload);
      if (first.opcode === TEXT && !this.#utf8.push(plain)) throw notText();
    }
    if (first.opcode === TEXT && !this.#utf8.complete) throw notText();
    return { payload, sizes, plain, size: first.compressed ? plain.length : size };
  }
}

function notText(): WebSocketError {
  return new WebSocketError("WS_UTF8", "A text message is not UTF-8 (RFC 6455 8.1)");
}
