/**
 * The server's end of a WebSocket, as MSW's handlers know it.
 *
 * @module
 */
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import type { WebSocketClientLine, WebSocketData, WebSocketLine } from "../../flow/websocket_answer.ts";
import { eventData, Outbox } from "./data.ts";
import { type Listener, type ListenerOptions, Listeners, makeEvent } from "./event.ts";
import { type MswExtensionLike, valuesOf } from "./extension.ts";
import type { MswClient } from "./websocket_client.ts";

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** What `connection.server` is: idle until `connect()` is called. */
export class MswServer {
  /** Set by MSW when its link has one. */
  extension?: MswExtensionLike;
  /** The connection that it belongs to, for its extension. */
  context: object = {};
  /** Whether `connect()` was called: then the real server speaks for itself. */
  used = false;

  readonly #client: MswClient;
  readonly #listeners: Listeners;
  readonly #outbox = new Outbox((data) => this.relay(data));
  #clientLine: WebSocketClientLine | undefined;
  #line: WebSocketLine | undefined;
  #turn: object | undefined;
  #waiting: WebSocketData[] = [];
  #readyState = CLOSED;

  /** @param failed is told what listeners throw */
  constructor(client: MswClient, failed: (error: unknown) => void) {
    this.#client = client;
    this.#listeners = new Listeners(failed);
  }

  /** As of a WebSocket: 0 to 3. 3 until `connect()` is called. */
  get readyState(): number {
    return this.#readyState;
  }

  /** Connects to the server that the client has asked for. From now on what the two say is forwarded, unless a listener prevents it. */
  connect(): void {
    if (this.#readyState === OPEN || this.#readyState === CONNECTING) {
      throw new FlowtapeError(
        "WEBSOCKET_CONNECTED",
        "server.connect() was called, and this WebSocket is connected already",
      );
    }
    this.used = true;
    this.#readyState = CONNECTING;
    if (this.#clientLine !== undefined) this.#connect(this.#clientLine);
  }

  /** Sends a message to the server. */
  send(data: unknown): void {
    this.#assertConnected("send");
    if (this.extension === undefined) return this.#outbox.push(data);
    const context = { ...this.context, connection: this };
    for (const frame of valuesOf(this.extension.encode(data, context))) this.#outbox.push(frame);
  }

  /** Closes the connection to the server. The client's stays open. */
  close(): void {
    this.#assertConnected("close");
    if (this.#readyState === CLOSING || this.#readyState === CLOSED) return;
    const line = this.#line;
    this.#turn = this.#line = undefined;
    this.#readyState = CLOSED;
    this.#outbox.afterwards(() => line?.close(1005));
    queueMicrotask(() => this.#listeners.dispatch(closeEvent(this, 1000, "")));
  }

  /** Listens to `open`, `message`, `error` or `close`. */
  addEventListener(type: string, listener: Listener, options?: ListenerOptions): void {
    this.#listeners.add(type, listener, options);
  }

  /** Listens no more. */
  removeEventListener(type: string, listener: Listener): void {
    this.#listeners.remove(type, listener);
  }

  /** The client has its 101. */
  open(line: WebSocketClientLine): void {
    this.#clientLine = line;
    if (this.#readyState === CONNECTING) this.#connect(line);
  }

  /** Passes on what the client has said. Before `connect()` there is nobody to hear it. */
  relay(data: WebSocketData): void {
    if (this.#line !== undefined) this.#line.send(data);
    else if (this.#readyState === CONNECTING) this.#waiting.push(data);
  }

  #connect(client: WebSocketClientLine): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    // After close() it is another one that counts, or none.
    const turn = this.#turn = {};
    const current = (then: () => void) => this.#turn === turn && then();
    this.#line = client.connect({
      open: () => void current(() => this.#opened()),
      message: (data) => void current(() => this.#heard(client, data)),
      error: (error) => void current(() => this.#broken(error)),
      close: (code, reason) => void current(() => this.#closed(client, code, reason)),
    });
    for (const data of waiting) this.#line.send(data);
  }

  #opened(): void {
    this.#readyState = OPEN;
    this.#listeners.dispatch(makeEvent(new Event("open"), this));
  }

  #heard(client: WebSocketClientLine, data: WebSocketData): void {
    const raw = eventData(data);
    const { extension } = this;
    const messages = extension === undefined
      ? [raw]
      : valuesOf(extension.decode(raw, { ...this.context, connection: this }));
    let passes = true;
    for (const message of messages) {
      const event = new MessageEvent("message", { data: message, origin: this.#client.url.origin });
      passes = this.#listeners.dispatch(makeEvent(event, this)) && passes;
    }
    if (passes) client.send(data);
  }

  // What the client sees of it, the end of its own connection, comes with `close`.
  #broken(error: FlowError): void {
    const cause = new FlowtapeError(error.code, error.message);
    this.#listeners.dispatch(makeEvent(new Event("error"), this, { error: cause, message: error.message }));
  }

  #closed(client: WebSocketClientLine, code: number, reason: string): void {
    this.#readyState = CLOSED;
    this.#line = undefined;
    if (this.#listeners.dispatch(closeEvent(this, code, reason))) client.close(code, reason);
  }

  #assertConnected(what: string): void {
    if (this.used) return;
    throw new FlowtapeError(
      "WEBSOCKET_NOT_CONNECTED",
      `server.${what}() was called, and this WebSocket is not connected to its server: call server.connect() first`,
    );
  }
}

function closeEvent(server: MswServer, code: number, reason: string): Event {
  return makeEvent(new Event("close"), server, { code, reason, wasClean: code !== 1006 });
}
