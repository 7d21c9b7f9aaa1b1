/**
 * A WebSocket whose server is an addon: what the addon is told, and what it can do.
 *
 * @module
 */
import type { FlowError } from "./flow_error.ts";

/** What a message carries: text, or bytes. */
export type WebSocketData = string | Uint8Array;

/** Is told what one side says. What it throws, now or later, ends the flow with `HOOK_FAILED`. */
export interface WebSocketListener {
  /** A message has come. */
  message?(data: WebSocketData): void | Promise<void>;
  /** Nothing more will come; called once. 1005: a close frame without a code. 1006: the connection was cut, or there never was one. */
  close?(code: number, reason: string): void | Promise<void>;
}

/** Is told what a real server says. */
export interface WebSocketServerListener extends WebSocketListener {
  /** The server has agreed, and has chosen this subprotocol; `""`: none. */
  open?(protocol: string): void | Promise<void>;
  /** The server cannot be reached, has refused, or broke the protocol; `close` follows with 1006. */
  error?(error: FlowError): void | Promise<void>;
}

/** A way to say something to one side. */
export interface WebSocketLine {
  /** Whether nothing can be sent any more. */
  readonly closed: boolean;
  /** Sends a message: a string as text, bytes as binary. Nothing happens once it is closed. */
  send(data: WebSocketData): void;
  /**
   * Closes. Nothing happens once it is closed.
   *
   * @param code 1000 by default; 1005 stands for a close frame without a code, 1006 for no close frame at all
   * @throws {OptionsError} a code that may not be sent
   */
  close(code?: number, reason?: string): void;
}

/** The client of a WebSocket that an addon answers. */
export interface WebSocketClientLine extends WebSocketLine {
  /**
   * Connects to the server that the client has asked for, with the client's own handshake. Messages sent before it has agreed wait
   * for that. It is closed when the client is.
   *
   * @throws {FlowtapeError} `WEBSOCKET_CONNECTED`: there is a connection already
   */
  connect(listener: WebSocketServerListener): WebSocketLine;
  /** Ends the flow with `HOOK_FAILED`, as if a listener had thrown this. */
  fail(error: unknown): void;
}

/** Speaks for the server. It is the `websocket` of a response with the status 101. */
export interface WebSocketAnswer {
  /** The client has its 101. What it says is kept back until what this returns is there to hear it. */
  open(client: WebSocketClientLine): WebSocketListener | Promise<WebSocketListener>;
}
