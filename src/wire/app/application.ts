/**
 * An application in the place of the servers.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { FlowtapeError } from "../../flow/error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { FlowResponse } from "../../flow/response.ts";
import type { LogEntry } from "../../hooks/addon.ts";

/** Answers flows in the place of their servers, when no addon has. */
export interface Application {
  /** Whether every flow is taken: then no server is connected to before it is known what a client speaks. */
  readonly exclusive: boolean;
  /** Whether clients must give the proxy a name, whatever it is; the text tells them what for. Without effect where option `auth` is set. */
  readonly asksForName?: string | undefined;
  /** Whether it answers this flow. Otherwise its server does. */
  takes(flow: HttpFlow): boolean;
  /** Answers. What it throws is a 500 for the client, and the error of the flow. */
  answer(call: AppCall): AppAnswer | Promise<AppAnswer>;
}

/** A request for an application. */
export interface AppCall {
  /** Its request is as the hooks have left it, except for the body, which is still coming. */
  readonly flow: HttpFlow;
  /** The body, with its content coding; `null` when there is none. It is read from the client as fast as it is read here. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Aborts when the answer is of no use any more: the client has gone, the time is up, the proxy closes. */
  readonly signal: AbortSignal;
  /** Resolves when the answer has been sent, rejects when it could not be. */
  readonly completed: Promise<void>;
  /** The certificate of the proxy's authority, PEM. */
  readonly authority: string;
  /** A line for the log. */
  log(level: LogEntry["level"], message: string): void;
  /** The client has asked for a WebSocket, and can have one. */
  readonly upgradable: boolean;
}

/**
 * What an application can answer: a response, which may have a stream for its body or, with the status 101, a
 * {@linkcode FlowResponse.websocket | websocket}; or a connection that speaks for itself.
 */
export type AppAnswer = FlowResponse | AppConnection;

/** Where an application has answered 101 on a connection of its own. */
export interface AppConnection {
  /** The 101 with all its fields, those of the handshake too. */
  readonly response: FlowResponse;
  /** Carries WebSocket frames from now on. */
  readonly stream: Duplex;
  /** What was read of them already. */
  readonly early: Uint8Array;
}

/** An application refuses a request, and says why: the client gets this status and the message, and so does the flow. */
export class AppError extends FlowtapeError {
  /** The name of the class. */
  override readonly name: string = "AppError";
  /** Such as 400. */
  readonly status: number;

  /** Makes one. */
  constructor(code: string, message: string, status: number, options?: ErrorOptions) {
    super(code, message, options);
    this.status = status;
  }
}
