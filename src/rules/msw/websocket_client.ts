/**
 * The client's end of a WebSocket, as MSW's handlers know it.
 *
 * @module
 */
import type { WebSocketClientLine, WebSocketData } from "../../flow/websocket_answer.ts";
import { eventData, Outbox } from "./data.ts";
import { type Listener, type ListenerOptions, Listeners, makeEvent } from "./event.ts";
import { type MswExtensionLike, valuesOf } from "./extension.ts";

let lastId = 0;

/** What `connection.client` is. */
export class MswClient {
  /** Unique in this process. */
  readonly id: string = `flowtape-client-${++lastId}`;
  /** What the client has asked for. */
  readonly url: URL;
  /** Set by MSW when its link has one. */
  extension?: MswExtensionLike;
  /** The connection that it belongs to, for its extension. */
  context: object = {};

  readonly #listeners: Listeners;
  readonly #outbox = new Outbox((data) => this.#act((line) => line.send(data)));
  #line: WebSocketClientLine | undefined;
  #waiting: ((line: WebSocketClientLine) => void)[] = [];
  #over = false;

  /** @param failed is told what listeners throw */
  constructor(url: URL, failed: (error: unknown) => void) {
    this.url = url;
    this.#listeners = new Listeners(failed);
  }

  /** Sends a message to the client. */
  send(data: unknown): void {
    if (this.extension === undefined) return this.#outbox.push(data);
    const context = { ...this.context, connection: this };
    for (const frame of valuesOf(this.extension.encode(data, context))) this.#outbox.push(frame);
  }

  /** Closes the WebSocket, with any code that may be sent. */
  close(code?: number, reason?: string): void {
    this.#outbox.afterwards(() => this.#act((line) => line.close(code, reason)));
  }

  /** Listens to `open`, `message` or `close`. */
  addEventListener(type: string, listener: Listener, options?: ListenerOptions): void {
    this.#listeners.add(type, listener, options);
  }

  /** Listens no more. */
  removeEventListener(type: string, listener: Listener): void {
    this.#listeners.remove(type, listener);
  }

  /** The client has its 101. */
  open(line: WebSocketClientLine, role: "server" | "relay"): void {
    const waiting = this.#waiting;
    this.#line = line;
    this.#waiting = [];
    if (role === "server") this.#speak(line, this.extension?.connect?.(this.context));
    for (const act of waiting) act(line);
    this.#listeners.dispatch(makeEvent(new Event("open"), this));
  }

  /** It has said something; `true`: nobody minds that the server hears it. */
  hear(data: WebSocketData, role: "server" | "relay"): boolean {
    const raw = eventData(data);
    const { extension } = this;
    if (extension === undefined) return this.#tell(raw);
    let passes = true;
    for (const message of valuesOf(extension.decode(raw, { ...this.context, connection: this }))) {
      passes = this.#tell(message) && passes;
    }
    if (role === "server") this.#speak(this.#line!, extension.receive?.(raw, this.context));
    return passes;
  }

  /** Nothing more will come from it. */
  over(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const wasClean = code !== 1006;
    this.#listeners.dispatch(makeEvent(new Event("close"), this, { code, reason, wasClean }));
  }

  #tell(data: unknown): boolean {
    return this.#listeners.dispatch(makeEvent(new MessageEvent("message", { data, origin: this.url.origin }), this));
  }

  // What the protocol itself says goes before everything that waits.
  #speak(line: WebSocketClientLine, frames: unknown): void {
    const outbox = new Outbox((data) => line.send(data));
    for (const frame of valuesOf(frames)) outbox.push(frame);
  }

  #act(act: (line: WebSocketClientLine) => void): void {
    if (this.#line === undefined) this.#waiting.push(act);
    else act(this.#line);
  }
}
