/**
 * One end of a WebSocket without I/O: bytes in, messages out, and back (RFC 6455).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { OptionsError } from "../../flow/error.ts";
import { bytesToSend } from "../../flow/message_data.ts";
import type { Side } from "../../flow/websocket.ts";
import type { WebSocketData } from "../../flow/websocket_answer.ts";
import { ABNORMAL, closePayload, mayBeSent, NO_STATUS, readClose } from "./close.ts";
import { BINARY, CLOSE, type ControlEvent, type FrameDataEvent, type FrameHead, PING, PONG, TEXT } from "./frame.ts";
import { FrameParser } from "./frame_parser.ts";
import { FrameWriter } from "./frame_writer.ts";
import { MessageAssembler } from "./message_assembler.ts";
import { WebSocketError } from "./websocket_error.ts";

/** A message is given as a whole, so it must have an end: 64 MiB. */
const MAX_MESSAGE = 64 * 1024 * 1024;

/** What an endpoint reports. */
export interface EndpointEvents {
  /** To be written. */
  bytes(bytes: Uint8Array): void;
  /** The other side has sent a message. */
  message(data: WebSocketData): void;
  /** Nothing more will come from the other side: it has sent a close frame, or broke the protocol and got one. Reported once. */
  closed(code: number, reason: string, error?: WebSocketError): void;
}

/** Speaks for one side: it answers pings and close frames, and does not compress. */
export class Endpoint {
  readonly #on: EndpointEvents;
  readonly #parser: FrameParser;
  readonly #writer: FrameWriter;
  readonly #assembler = new MessageAssembler({ holdBytes: 0, keepBytes: MAX_MESSAGE, inflateBytes: 0 }, undefined);
  #frame: FrameHead | undefined;
  #closing = false;
  #over = false;

  /** @param side which side it is */
  constructor(side: Side, on: EndpointEvents) {
    const other = side === "client" ? "server" : "client";
    this.#on = on;
    this.#parser = new FrameParser(other);
    this.#writer = new FrameWriter(other);
  }

  /** Whether a close frame was sent: nothing can be sent any more. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Takes what the other side has sent. */
  push(bytes: Uint8Array): void {
    if (this.#over) return;
    try {
      this.#parser.push(bytes);
      this.#read();
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      this.#over = true;
      this.#sendClose(error.closeCode, error.message);
      this.#on.closed(ABNORMAL, error.message, error);
    }
  }

  /**
   * Sends a message.
   *
   * @throws {OptionsError} neither bytes nor a string
   */
  send(data: WebSocketData): void {
    if (this.#closing) return;
    const opcode = typeof data === "string" ? TEXT : BINARY;
    const payload = bytesToSend(data, "a WebSocket message");
    this.#on.bytes(this.#writer.frames({ opcode, compressed: false }, payload));
  }

  /**
   * Sends a close frame. The other side is still to answer it.
   *
   * @throws {OptionsError} a code that may not be sent
   */
  close(code: number, reason: string): void {
    if (code !== NO_STATUS && !mayBeSent(code)) {
      throw new OptionsError(
        `a WebSocket cannot be closed with the code ${code}: 1000 to 1014 and 3000 to 4999 can be sent`,
      );
    }
    this.#sendClose(code, reason);
  }

  #sendClose(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#on.bytes(this.#writer.control(CLOSE, closePayload(code, reason)));
  }

  #read(): void {
    for (let event = this.#parser.next(); event !== undefined; event = this.#parser.next()) {
      if (event.type === "head") this.#begin(event.head);
      else if (event.type === "data") this.#data(event);
      else this.#control(event);
    }
  }

  #begin(head: FrameHead): void {
    this.#frame = head;
    this.#assembler.begin(head);
    if (this.#assembler.cost > MAX_MESSAGE) {
      throw new WebSocketError("WS_TOO_LARGE", `A message has more than ${MAX_MESSAGE} bytes`);
    }
  }

  #data({ data, final }: FrameDataEvent): void {
    const { opcode } = this.#assembler.first!;
    this.#assembler.push(data);
    if (!final || !this.#frame!.fin) return;
    const { plain } = this.#assembler.finish();
    // What comes behind our close frame is of no use any more (RFC 6455 1.4).
    if (this.#closing) return;
    this.#on.message(opcode === TEXT ? Buffer.from(plain).toString("utf8") : new Uint8Array(plain));
  }

  #control({ opcode, data }: ControlEvent): void {
    if (opcode === PING && !this.#closing) this.#on.bytes(this.#writer.control(PONG, data));
    if (opcode !== CLOSE) return;
    const { code, reason } = readClose(data);
    this.#over = true;
    // Most servers say the same again, as far as a close frame may say it.
    this.#sendClose(code, reason);
    this.#on.closed(code, reason);
  }
}
