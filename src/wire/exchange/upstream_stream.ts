/**
 * The server's side of one exchange, whatever protocol it speaks.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { FlowResponse } from "../../flow/response.ts";
import type { Cut } from "../../flow/shape.ts";
import type { DataEvent } from "../http1/event.ts";
import type { RequestHead, ResponseHead } from "../http1/head.ts";
import type { BodySink } from "./body_pipe.ts";
import type { Detached } from "./upgrade.ts";

/** What is to be sent: the part of an exchange that a server's connection looks at. */
export interface OutgoingRequest {
  /** Its request, as the hooks have left it. */
  readonly flow: HttpFlow;
  /** The head of the request as it came. */
  readonly head: RequestHead;
  /** The proxy itself has told the client to go on: the server need not be asked again. */
  readonly continued: boolean;
  /** The field lines to send instead of those of the request: they ask for a WebSocket. Then there is no body. */
  readonly handshake: string | undefined;
  /** So many milliseconds the head is to take, where it can leave bit by bit (HTTP/1.1). */
  readonly slowHead?: number;
}

/** What an exchange needs of a server's connection. It belongs to one exchange until it is released or destroyed. */
export interface UpstreamStream {
  /** The connection has served other exchanges before: the server may just have been closing it. */
  readonly reused: boolean;
  /** Whether a byte of an answer to the current exchange has arrived, an informational one included. */
  readonly answered: boolean;
  /** Whether a slow head can leave bit by bit. Where it cannot, the whole head is sent late. */
  readonly trickles: boolean;
  /** Sends the head of a request; the body goes into the sink. From now on the user is told what the server says. */
  send(request: OutgoingRequest, user: UpstreamUser): BodySink;
  /** Calls once when the server has taken what was sent. */
  drained(callback: () => void): void;
  /** The request is still on its way: it is the client that is waited for. */
  sending(): void;
  /** What has come of the request is on its way: it is the server that is waited for. */
  sent(): void;
  /** The user has to wait for a hook, or for the client. */
  stop(): void;
  /** The user is ready for more. */
  go(): void;
  /** Of HTTP/2: whether the server takes WebSockets in streams, as soon as it has said so. Nothing has been sent yet. */
  takesWebSockets?(): Promise<boolean>;
  /** The server has answered 101: lets go of the connection. Only where a handshake was sent. */
  detach?(): Detached;
  /** The exchange is over, both ways: the connection may serve another one. */
  release(): void;
  /**
   * The exchange is given up, for this reason: the server is told as the protocol wants it.
   *
   * @param cut how it is told, when that is what the connection is broken for
   */
  destroy(error?: FlowError, cut?: Cut): void;
}

/** Who uses the connection at the moment. */
export interface UpstreamUser {
  /** A head has arrived: an informational one (1xx) or the final one. */
  upstreamHead(head: ResponseHead): void;
  /** A piece of the body has arrived. `false`: wait until {@linkcode UpstreamStream.go}. */
  upstreamData(event: DataEvent): boolean;
  /** The response is complete. */
  upstreamEnd(trailers: string): void;
  /** What is in the place of the server has agreed to a WebSocket, and speaks for itself. Only where a handshake was sent. */
  upstreamAnswers?(response: FlowResponse): void;
  /** The connection is of no use any more. */
  upstreamFailed(error: FlowError): void;
  /** The server has not looked at the request, and says so: it may be sent again, on another connection. */
  upstreamRefused(error: FlowError): void;
}
