/**
 * A WebSocket between two sides without I/O: bytes in, events out (RFC 6455, RFC 7692).
 *
 * @example
 * ```ts
 * import { Buffer } from "node:buffer";
 *
 * const conversation = new Conversation();
 * conversation.push("server", Buffer.from("\x81\x05Hello", "latin1"));
 * for (let event = conversation.next(); event !== undefined; event = conversation.next()) {
 *   if (event.type === "bytes") console.log(event.to, event.bytes); // to be written
 *   if (event.type === "message" && event.held) {
 *     event.message.data = event.message.text.toUpperCase();
 *     conversation.release(event.message);
 *   }
 * }
 * ```
 *
 * @module
 */
import { FlowtapeError, OptionsError } from "../../flow/error.ts";
import type { Side, WebSocketMessage } from "../../flow/websocket.ts";
import { ABNORMAL, mayBeSent } from "./close.ts";
import { Direction } from "./direction.ts";
import type { ConversationEnd, ConversationEvent } from "./event.ts";
import type { DeflateParameters } from "./extensions.ts";
import type { MessageLimits } from "./message_assembler.ts";
import { WebSocketError } from "./websocket_error.ts";

export type * from "./event.ts";
export type { DeflateParameters } from "./extensions.ts";
export type { MessageLimits } from "./message_assembler.ts";

/** What a conversation is told. The limits are read again for each message, so that they may change. */
export interface ConversationOptions extends Partial<MessageLimits> {
  /** What the handshake has negotiated of compression. Default: none. */
  readonly deflate?: DeflateParameters | undefined;
  /** Milliseconds after the start of the flow, for the times of messages. Default: `performance.now`. */
  readonly now?: () => number;
}

const MIB = 1024 * 1024;

/**
 * Joins the two directions. Push what arrives, pull events until there is none, write their bytes. A held message stops its direction, and
 * only that, until it is released: then pull again, as after everything that is called from outside.
 */
export class Conversation {
  readonly #client: Direction;
  readonly #server: Direction;
  /** Taken from the front; what is before `#at` is gone. */
  #events: ConversationEvent[] = [];
  #at = 0;
  readonly #cut: Set<Side> = new Set();
  /** Who has sent the first close frame. */
  #closedBy: Side | undefined;
  #over = false;

  /** Makes the conversation that follows a handshake. */
  constructor(options: ConversationOptions = {}) {
    const limits: MessageLimits = {
      get holdBytes() {
        return options.holdBytes ?? 16 * MIB;
      },
      get keepBytes() {
        return options.keepBytes ?? 16 * MIB;
      },
      inflateBytes: options.inflateBytes ?? 64 * MIB,
    };
    const now = options.now ?? (() => performance.now());
    const emit = (event: ConversationEvent) => this.#emit(event);
    this.#client = new Direction("client", { limits, deflate: options.deflate?.client, now, emit });
    this.#server = new Direction("server", { limits, deflate: options.deflate?.server, now, emit });
  }

  /** Takes bytes that one side has sent. They are not copied as a rule, so the caller must not write over them afterwards. */
  push(from: Side, bytes: Uint8Array): void {
    if (!this.#over) this.#of(from).push(bytes);
  }

  /** One side will send no more: what it has sent so far still counts. */
  finish(from: Side): void {
    this.#cut.add(from);
  }

  /** The next event; `undefined`: nothing until something is called. */
  next(): ConversationEvent | undefined {
    for (;;) {
      const event = this.#events[this.#at];
      if (event !== undefined) {
        this.#at++;
        return event;
      }
      this.#events = [];
      this.#at = 0;
      if (this.#over) return undefined;
      if (!this.#step(this.#client) && !this.#step(this.#server) && !this.#ended()) return undefined;
    }
  }

  /** Sends a held message as it now is: as it came, edited, or not at all. Without effect on any other. */
  release(message: WebSocketMessage): void {
    if (this.#over) message.seal();
    else this.#of(message.from).release(message);
  }

  /**
   * Sends a message of the proxy's own: a string as text, bytes as binary. It goes before a message that is held, and after one that is
   * passing.
   *
   * @throws {FlowtapeError} `WEBSOCKET_CLOSED`: that side has got a close frame, or the conversation is over
   */
  inject(to: Side, data: Uint8Array | string): WebSocketMessage {
    const direction = this.#of(to === "client" ? "server" : "client");
    if (this.#over || direction.closed !== undefined) {
      throw new FlowtapeError(
        "WEBSOCKET_CLOSED",
        `nothing can be sent to the ${to} any more: this WebSocket is closed`,
      );
    }
    return direction.inject(data);
  }

  /**
   * Ends the conversation from here: close frames go to both sides, as far as they have not got one, and nothing is awaited.
   *
   * @throws {OptionsError} a code that may not be sent
   */
  close(code: number, reason: string = ""): void {
    if (!mayBeSent(code)) {
      throw new OptionsError(
        `a WebSocket cannot be closed with the code ${code}: 1000 to 1014 and 3000 to 4999 can be sent`,
      );
    }
    if (this.#over) return;
    this.#closeBoth(code, reason);
    this.#end({ by: "proxy", clean: true, code, reason });
  }

  /** How many bytes of one side wait to be read: more than were just pushed only while a message of it is held. */
  buffered(from: Side): number {
    return this.#of(from).buffered;
  }

  /** Whether a message of this side waits to be released: its socket should be paused. */
  holds(from: Side): boolean {
    return !this.#over && this.#of(from).holds;
  }

  /** Whether the end has been reported, or is the last event that is still to come. */
  get over(): boolean {
    return this.#over;
  }

  #of(side: Side): Direction {
    return side === "client" ? this.#client : this.#server;
  }

  #step(direction: Direction): boolean {
    try {
      return direction.step();
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      const { closeCode: code, message: reason } = error;
      this.#emit({ type: "error", from: direction.from, error });
      this.#closeBoth(code, reason);
      this.#end({ by: direction.from, clean: false, code, reason });
      return true;
    }
  }

  /** Whether there is nothing more to come; called when all that has come was read. */
  #ended(): boolean {
    const client = this.#client.closed;
    const server = this.#server.closed;
    const by = this.#closedBy;
    if (client !== undefined && server !== undefined) {
      const { code, reason } = by === "server" ? server : client;
      this.#end({ by: by ?? "client", clean: true, code, reason });
      return true;
    }
    for (const side of this.#cut) {
      // A side that has sent a close frame may end; the answer to it is still to come.
      if (this.#of(side).closed !== undefined || this.#of(side).holds) continue;
      const { code, reason } = client ?? server ?? { code: ABNORMAL, reason: "" };
      this.#end({ by: by ?? side, clean: false, code, reason });
      return true;
    }
    return false;
  }

  #closeBoth(code: number, reason: string): void {
    this.#server.close(code, reason);
    this.#client.close(code, reason);
  }

  #end(event: Omit<ConversationEnd, "type">): void {
    this.#emit({ type: "end", ...event });
    this.#over = true;
  }

  #emit(event: ConversationEvent): void {
    if (event.type === "close") this.#closedBy ??= event.from;
    this.#events.push(event);
  }
}
