/**
 * The server's end of a WebSocket that has no server: an addon speaks for it.
 *
 * @module
 */
import { Duplex } from "node:stream";
import { FlowtapeError } from "../../flow/error.ts";
import type {
  WebSocketAnswer,
  WebSocketClientLine,
  WebSocketData,
  WebSocketLine,
  WebSocketListener,
  WebSocketServerListener,
} from "../../flow/websocket_answer.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { ABNORMAL, NO_STATUS } from "./close.ts";
import { Endpoint } from "./endpoint.ts";
import { ServerLine } from "./server_line.ts";

/** More than this many bytes waiting for a client ends the flow: an addon that sends does not hear of a client that does not read. */
const MAX_BACKLOG = 64 * 1024 * 1024;

/** Speaks for the server as an addon wants it. */
export class AnsweredServer implements WebSocketClientLine {
  /** In the place of a server's connection: what is written to it is heard by the addon, what that says can be read from it. */
  readonly stream: Duplex;

  readonly #exchange: Exchange;
  readonly #handshake: string;
  readonly #endpoint: Endpoint;
  #listener: WebSocketListener | undefined;
  #server: ServerLine | undefined;
  #held: (() => void) | undefined;
  #told = false;
  /** How it ended, before anybody listened. */
  #early: [code: number, reason: string] | undefined;
  #cutting = false;

  /** @param handshake the field lines that would ask the server for a WebSocket */
  constructor(exchange: Exchange, handshake: string) {
    this.#exchange = exchange;
    this.#handshake = handshake;
    this.#endpoint = new Endpoint("server", {
      bytes: (bytes) => this.#say(bytes),
      message: (data) => this.#guard(() => this.#listener?.message?.(data)),
      closed: (code, reason) => this.#tell(code, reason),
    });
    this.stream = new Duplex({
      read: () => this.#server?.resume(),
      write: (chunk, _encoding, callback) => this.#hear(chunk, callback),
      final: (callback) => {
        this.#tell(ABNORMAL, "");
        if (!this.#cutting) this.stream.push(null);
        callback();
      },
      destroy: (error, callback) => {
        this.#tell(ABNORMAL, "");
        callback(error);
      },
    });
  }

  /** The client has its 101: the addon may speak. */
  begin(answer: WebSocketAnswer): void {
    this.#guard(() => {
      const opened = answer.open(this);
      if (!(opened instanceof Promise)) return this.#listen(opened);
      return opened.then((listener) => this.#listen(listener));
    });
  }

  /** @inheritdoc */
  get closed(): boolean {
    return this.#endpoint.closing || this.#told || this.stream.destroyed;
  }

  /** @inheritdoc */
  send(data: WebSocketData): void {
    if (!this.closed) this.#endpoint.send(data);
  }

  /** @inheritdoc */
  close(code: number = 1000, reason: string = ""): void {
    if (this.closed) return;
    if (code !== ABNORMAL) return this.#endpoint.close(code, reason);
    // What was said before is still to be heard.
    this.#cutting = true;
    this.stream.push(null);
    this.#tell(ABNORMAL, reason);
  }

  /** @inheritdoc */
  connect(listener: WebSocketServerListener): WebSocketLine {
    if (this.#server !== undefined && !this.#server.closed) {
      throw new FlowtapeError("WEBSOCKET_CONNECTED", "this WebSocket is connected to its server already");
    }
    const server = this.#server = new ServerLine(this.#exchange, this.#handshake, {
      open: (protocol) => this.#guard(() => listener.open?.(protocol)),
      message: (data) => this.#guard(() => listener.message?.(data)),
      close: (code, reason) => this.#guard(() => listener.close?.(code, reason)),
      error: (error) => this.#guard(() => listener.error?.(error)),
    });
    if (this.#told || this.stream.destroyed) server.close(ABNORMAL);
    else void server.open();
    return server;
  }

  #hear(chunk: Uint8Array, callback: () => void): void {
    if (this.#listener === undefined && !this.#told) {
      this.#held = () => this.#hear(chunk, callback);
      return;
    }
    this.#endpoint.push(chunk);
    const server = this.#server;
    if (server?.full) server.onDrained = callback;
    else callback();
  }

  #listen(listener: WebSocketListener): void {
    this.#listener = listener;
    const told = this.#early;
    if (told !== undefined) this.#guard(() => listener.close?.(...told));
    this.#letGo();
  }

  #say(bytes: Uint8Array): void {
    if (this.stream.destroyed || this.#cutting || this.stream.writableEnded) return;
    if (this.stream.push(bytes)) return;
    this.#server?.pause();
    if (this.stream.readableLength <= MAX_BACKLOG) return;
    this.#exchange.fail({
      code: "WS_BACKLOG",
      message:
        `more than ${MAX_BACKLOG} bytes wait for the client of ${this.#exchange.flow.request.url}, which does not read them`,
    });
  }

  // Whatever the addon does, the real server learns that its client is gone.
  #tell(code: number, reason: string): void {
    if (this.#told) return;
    this.#told = true;
    if (this.#listener === undefined) this.#early = [code, reason];
    else this.#guard(() => this.#listener?.close?.(code, reason));
    this.#server?.close(NO_STATUS);
    this.#letGo();
  }

  #letGo(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  #guard(call: () => void | Promise<void>): void {
    try {
      const result = call();
      if (result instanceof Promise) result.catch((error) => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  /** @inheritdoc */
  fail(error: unknown): void {
    const { context, flow } = this.#exchange;
    if (this.#exchange.over) return;
    const { message } = context.hooks.refuse(error, flow);
    this.#exchange.fail({ code: "HOOK_FAILED", message });
    this.#tell(ABNORMAL, "");
  }
}
