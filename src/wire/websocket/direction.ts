/**
 * One direction of a conversation: the frames of one side, on their way to the other.
 *
 * @module
 */
import { type Side, WebSocketMessage } from "../../flow/websocket.ts";
import { closePayload, type CloseReason, readClose } from "./close.ts";
import { deflate, type DeflateSide, Inflater } from "./deflate.ts";
import type { ConversationEvent } from "./event.ts";
import { BINARY, CLOSE, type ControlEvent, type FrameDataEvent, type FrameHead, PING, TEXT } from "./frame.ts";
import { FrameParser } from "./frame_parser.ts";
import { FrameWriter, type MessageKind } from "./frame_writer.ts";
import { type AssembledMessage, MessageAssembler, type MessageLimits } from "./message_assembler.ts";

/** What a direction is told. */
export interface DirectionOptions {
  /** How much is held and kept. */
  readonly limits: MessageLimits;
  /** How its sender compresses, when that was negotiated. */
  readonly deflate: DeflateSide | undefined;
  /** Milliseconds after the start of the flow. */
  readonly now: () => number;
  /** Takes what happens. */
  readonly emit: (event: ConversationEvent) => void;
}

/** A message that waits to be decided on. */
interface Held {
  readonly message: WebSocketMessage;
  readonly assembled: AssembledMessage;
  readonly kind: MessageKind;
}

/** zlib has no smaller window. */
const MIN_WINDOW_BITS = 9;

/**
 * Parses what one side sends and passes it on: an untouched message in the frames in which it came, to the compressed byte; an edited
 * one in one frame.
 *
 * Where a compressed message may refer to the ones before it, the receiver must have got them all. So from the first one on that was
 * edited or dropped, every compressed message is compressed anew, in as many frames as it had. Injected messages are sent without
 * compression, which is always allowed and leaves no trace in the receiver's window (RFC 7692 6, 7.2.2).
 */
export class Direction {
  /** Whose frames these are. */
  readonly from: Side;
  /** Who gets them. */
  readonly to: Side;
  /** The close frame that was passed on. */
  closed: CloseReason | undefined;

  readonly #options: DirectionOptions;
  readonly #parser: FrameParser;
  readonly #writer: FrameWriter;
  readonly #assembler: MessageAssembler;
  #held: Held | undefined;
  /** The frame whose payload is arriving. */
  #frame: FrameHead | undefined;
  /** Whether the frames of the message are passed on as they arrive. */
  #passing = false;
  /** Whether the receiver's window is no longer what the sender takes it for. */
  #recompresses = false;
  /** Injected while a message was passing, which nothing but control frames may interrupt (RFC 6455 5.4). */
  #waiting: Uint8Array[] = [];

  /** Makes a direction. */
  constructor(from: Side, options: DirectionOptions) {
    this.from = from;
    this.to = from === "client" ? "server" : "client";
    this.#options = options;
    this.#parser = new FrameParser(from, { deflate: options.deflate !== undefined });
    this.#writer = new FrameWriter(this.to);
    const inflater = options.deflate && new Inflater(options.deflate, options.limits.inflateBytes);
    this.#assembler = new MessageAssembler(options.limits, inflater);
  }

  /** Takes bytes of the sender. */
  push(bytes: Uint8Array): void {
    this.#parser.push(bytes);
  }

  /** How many bytes wait to be read. */
  get buffered(): number {
    return this.#parser.buffered;
  }

  /** Whether a message waits to be decided on: nothing is read meanwhile. */
  get holds(): boolean {
    return this.#held !== undefined;
  }

  /** Reads one thing; `false`: there is nothing to read now. */
  step(): boolean {
    if (this.#held !== undefined) return false;
    const event = this.#parser.next();
    if (event === undefined) return false;
    if (event.type === "head") this.#begin(event.head);
    else if (event.type === "data") this.#data(event);
    else this.#control(event);
    return true;
  }

  /** Sends the message that is held, as it now is. Any other message has no effect. */
  release(message: WebSocketMessage): void {
    const held = this.#held;
    if (held?.message !== message) return;
    this.#held = undefined;
    message.seal();
    this.#pass(held);
  }

  /** Sends a message that the sender never sent. */
  inject(data: Uint8Array | string): WebSocketMessage {
    const message = this.#message(typeof data === "string" ? "text" : "binary", data, { injected: true });
    message.seal();
    const kind: MessageKind = { opcode: message.type === "text" ? TEXT : BINARY, compressed: false };
    const bytes = this.#writer.frames(kind, message.data);
    if (this.#passing) this.#waiting.push(bytes);
    else this.#emitBytes(bytes);
    this.#options.emit({ type: "message", message, held: false });
    return message;
  }

  /** Ends this direction, where it has not ended and nothing is half sent. */
  close(code: number, reason: string): void {
    if (this.closed !== undefined || this.#writer.inFrame) return;
    this.closed = { code, reason };
    this.#emitBytes(this.#writer.control(CLOSE, closePayload(code, reason)));
  }

  #begin(head: FrameHead): void {
    const assembler = this.#assembler;
    const { payload, sizes } = assembler.first === undefined ? NOTHING_YET : assembler;
    const before = sizes.length;
    assembler.begin(head);
    this.#frame = head;
    if (!this.#passing && this.#isTooLong()) {
      this.#passing = true;
      if (before > 0) {
        this.#emitBytes(this.#writer.frames(assembler.first!, payload, sizes.slice(0, before), "continued"));
      }
    }
    if (this.#passing) this.#emitBytes(this.#writer.begin(head));
  }

  #isTooLong(): boolean {
    const { holdBytes, keepBytes } = this.#options.limits;
    // What has to be compressed anew has to be there as a whole.
    if (this.#recompresses && this.#assembler.first!.compressed) return false;
    return holdBytes === 0 || this.#assembler.cost > Math.min(holdBytes, keepBytes);
  }

  #data({ data, final }: FrameDataEvent): void {
    const frame = this.#frame!;
    const first = this.#assembler.first!;
    this.#assembler.push(data);
    const assembled = final && frame.fin ? this.#assembler.finish() : undefined;
    if (this.#passing && data.length > 0) this.#emitBytes(this.#writer.payload(data));
    if (assembled !== undefined) this.#complete(first, assembled);
  }

  #complete(kind: MessageKind, assembled: AssembledMessage): void {
    const { plain, size } = assembled;
    const { keepBytes } = this.#options.limits;
    // A copy: the whole is not needed any more.
    const kept = plain.length > keepBytes ? new Uint8Array(plain.subarray(0, keepBytes)) : plain;
    const message = this.#message(kind.opcode === TEXT ? "text" : "binary", kept, { size });
    const held = !this.#passing && !message.truncated;
    if (held) {
      this.#held = { message, assembled, kind };
    } else {
      message.seal();
      if (!this.#passing) this.#pass({ message, assembled, kind });
      this.#passing = false;
      for (const bytes of this.#waiting.splice(0)) this.#emitBytes(bytes);
    }
    this.#options.emit({ type: "message", message, held });
  }

  #pass({ message, assembled, kind }: Held): void {
    const { opcode, compressed } = kind;
    if (compressed && (message.edited || message.dropped)) this.#recompresses = this.#options.deflate!.takeover;
    if (message.dropped) return;
    if (message.edited) {
      const encoded = this.#encode(message.data, compressed);
      this.#emitBytes(this.#writer.frames({ opcode, compressed: encoded.compressed }, encoded.payload));
    } else if (compressed && this.#recompresses) {
      const encoded = this.#encode(assembled.plain, compressed);
      const sizes = divide(encoded.payload.length, assembled.sizes);
      this.#emitBytes(this.#writer.frames({ opcode, compressed: encoded.compressed }, encoded.payload, sizes));
    } else {
      this.#emitBytes(this.#writer.frames(kind, assembled.payload, assembled.sizes));
    }
  }

  #encode(data: Uint8Array, compressed: boolean): { payload: Uint8Array; compressed: boolean } {
    const { windowBits } = this.#options.deflate ?? { windowBits: 0 };
    // A message may always be sent as it is (RFC 7692 6), so that a window too small for zlib is no problem.
    if (!compressed || windowBits < MIN_WINDOW_BITS) return { payload: data, compressed: false };
    return { payload: deflate(data, windowBits), compressed: true };
  }

  #control({ opcode, data }: ControlEvent): void {
    const bytes = this.#writer.control(opcode, data);
    if (opcode === CLOSE) {
      const { code, reason } = this.closed = readClose(data);
      this.#options.emit({ type: "close", from: this.from, code, reason });
    } else {
      this.#options.emit({ type: opcode === PING ? "ping" : "pong", from: this.from, data });
    }
    this.#emitBytes(bytes);
  }

  #message(
    type: "text" | "binary",
    data: Uint8Array | string,
    more: { readonly size?: number; readonly injected?: boolean },
  ): WebSocketMessage {
    return new WebSocketMessage({ from: this.from, type, data, time: this.#options.now(), ...more });
  }

  #emitBytes(bytes: Uint8Array): void {
    this.#options.emit({ type: "bytes", to: this.to, bytes });
  }
}

const NOTHING_YET = { payload: new Uint8Array(0), sizes: [] };

/** Divides a length into as many frames as there were, of their sizes as far as that goes. */
function divide(length: number, sizes: readonly number[]): number[] {
  let left = length;
  return sizes.map((size, index) => {
    const part = index === sizes.length - 1 ? left : Math.min(size, left);
    left -= part;
    return part;
  });
}
