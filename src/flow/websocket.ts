/**
 * What was said over a WebSocket, as a flow keeps it.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { FlowtapeError, OptionsError } from "./error.ts";
import { describeValue } from "./matcher/describe.ts";
import { bytesToSend } from "./message_data.ts";

/** One of the two ends of a conversation. */
export type Side = "client" | "server";

const MESSAGE = "a WebSocket message";

/** What a message is made from. */
export interface WebSocketMessageInit {
  /** Who sent it. */
  readonly from: Side;
  /** Which of the two kinds it is. */
  readonly type: "text" | "binary";
  /** The bytes, or as many of them as are kept. */
  readonly data: Uint8Array | string;
  /** Milliseconds after the start of the flow. */
  readonly time: number;
  /** How many bytes it had, when not all of them are kept. */
  readonly size?: number;
  /** Whether the proxy made it. Default: false. */
  readonly injected?: boolean;
}

/** One message: whole, uncompressed, whatever frames it came in. */
export class WebSocketMessage {
  /** Who sent it; of an injected message, whom it pretends to come from. */
  readonly from: Side;
  /** Which of the two kinds it is. */
  readonly type: "text" | "binary";
  /** When it was complete: milliseconds after the start of the flow. */
  readonly time: number;
  /** How many bytes its sender put in, without compression. */
  readonly size: number;
  /** The proxy made it. */
  readonly injected: boolean;

  #data: Uint8Array;
  #original: Uint8Array | undefined;
  #state: "as sent" | "edited" | "dropped" = "as sent";
  readonly #tooLong: boolean;
  #cut = false;
  #sealed = false;

  /** For the wire and the tape. */
  constructor(init: WebSocketMessageInit) {
    this.from = init.from;
    this.type = init.type;
    this.time = init.time;
    this.injected = init.injected ?? false;
    this.#data = bytesToSend(init.data, MESSAGE);
    this.size = init.size ?? this.#data.length;
    this.#tooLong = this.size > this.#data.length;
  }

  /** The bytes. Assign to change them, in `websocketMessage`; writing into the array is not noticed. */
  get data(): Uint8Array {
    return this.#data;
  }

  /**
   * A string is sent as UTF-8.
   *
   * @throws {OptionsError} neither bytes nor a string; bytes that are not UTF-8 for a text message
   * @throws {FlowtapeError} `MESSAGE_SENT`: it is too late
   */
  set data(value: Uint8Array | string) {
    this.#open("edited");
    const bytes = bytesToSend(value, MESSAGE);
    if (this.type === "text" && typeof value !== "string" && !isUtf8(bytes)) {
      throw new OptionsError(
        "the data of a WebSocket text message must be UTF-8 (RFC 6455 section 5.6): inject a binary one",
      );
    }
    this.#original ??= this.#data;
    this.#data = bytes;
    this.#state = "edited";
  }

  /** What its sender has sent, whatever an addon has made of it. */
  get original(): Uint8Array {
    return this.#original ?? this.#data;
  }

  /** The data as text; what is not UTF-8 becomes U+FFFD. */
  get text(): string {
    const { buffer, byteOffset, byteLength } = this.#data;
    return Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
  }

  /** Whether only its first bytes are kept. In `websocketMessage`: it was too long to be held, and has passed already. */
  get truncated(): boolean {
    return this.#tooLong || this.#cut;
  }

  /** Whether an addon has changed the data. */
  get edited(): boolean {
    return this.#state === "edited";
  }

  /** Whether it is kept from the other side. */
  get dropped(): boolean {
    return this.#state === "dropped";
  }

  /**
   * Keeps it from the other side.
   *
   * @throws {FlowtapeError} `MESSAGE_SENT`: it is too late
   */
  drop(): void {
    this.#open("dropped");
    this.#state = "dropped";
  }

  /** For the wire: it has been sent or let go, nothing can change it any more. */
  seal(): void {
    this.#sealed = true;
  }

  /** For the wire: the conversation has ended before it was sent. */
  abandon(): void {
    if (!this.#sealed) this.#state = "dropped";
    this.#sealed = true;
  }

  /** For the wire: keeps so many of its bytes, now that it has passed. */
  truncate(length: number): void {
    if (this.#original !== undefined && this.#original.length > length) {
      this.#original = new Uint8Array(this.#original.subarray(0, length));
      this.#cut = true;
    }
    if (this.#data.length <= length) return;
    // A copy: the rest is not needed any more.
    this.#data = new Uint8Array(this.#data.subarray(0, length));
    this.#cut = true;
  }

  #open(what: string): void {
    if (!this.#sealed) return;
    throw new FlowtapeError(
      "MESSAGE_SENT",
      this.#tooLong
        ? `the WebSocket message of ${this.size} bytes was too long to be held and cannot be ${what} any more`
        : `the WebSocket message has passed and cannot be ${what} any more: do it in the hook websocketMessage`,
    );
  }
}

/** For the wire: what {@linkcode WebSocketConversation} can do while it is open. */
export interface WebSocketControl {
  /** Sends a message of the proxy's own. */
  inject(to: Side, data: Uint8Array | string): WebSocketMessage;
  /** Closes both sides. */
  close(code: number, reason: string): void;
}

/** The conversation of a flow that became a WebSocket. */
export class WebSocketConversation {
  /**
   * What was said, in order, injected and dropped messages included: the first of it, `capture.maxBody` bytes of all messages together
   * and no more than 100,000 of them. In `websocketMessage` the newest message is the last one in any case.
   */
  readonly messages: WebSocketMessage[] = [];
  /** How many later messages were not kept. */
  omitted = 0;
  /** The code of the first close frame (1005 when it had none); 1006 when the connection was cut without one. */
  closeCode?: number;
  /** The reason of the first close frame. */
  closeReason?: string;
  /** Who closed first, cut the connection, or broke the protocol. */
  closedBy?: Side | "proxy";

  /** For the wire: set while the conversation is open. */
  control: WebSocketControl | undefined;

  /** How many messages there were, kept or not. */
  get count(): number {
    return this.messages.length + this.omitted;
  }

  /**
   * Sends a message that the other side never sent: a string as text, bytes as binary. It goes out now, before a message that
   * a hook still holds; no hook fires for it. In `websocketHandshake` it waits for the handshake.
   *
   * @throws {OptionsError} to neither side, or neither bytes nor a string
   * @throws {FlowtapeError} `WEBSOCKET_CLOSED`: nothing can be sent to that side any more
   */
  inject(to: Side, data: Uint8Array | string): WebSocketMessage {
    if (to !== "client" && to !== "server") {
      throw new OptionsError(`inject() sends to "client" or "server", not to ${describeValue(to)}`);
    }
    return this.#control().inject(to, data);
  }

  /**
   * Closes both sides.
   *
   * @throws {OptionsError} a code that may not be sent: 1000 to 1014 and 3000 to 4999 may, but for 1004 to 1006
   * @throws {FlowtapeError} `WEBSOCKET_CLOSED`: it is closed already
   */
  close(code: number = 1000, reason: string = ""): void {
    this.#control().close(code, reason);
  }

  #control(): WebSocketControl {
    if (this.control !== undefined) return this.control;
    throw new FlowtapeError("WEBSOCKET_CLOSED", "this WebSocket is closed: nothing can be sent over it any more");
  }
}
