/**
 * What is written of an exchange: of a flow that has just passed, or of an entry of another tape.
 *
 * @module
 */
import { FlowtapeError } from "../flow/error.ts";
import { type FlowError, isUpstreamFailure } from "../flow/flow_error.ts";
import type { FlowHeaders } from "../flow/headers.ts";
import type { HttpFlow, InformationalResponse } from "../flow/http_flow.ts";
import type { HttpVersion, Message } from "../flow/message.ts";
import type { Timings } from "../flow/timings.ts";
import { streamOf, type StreamParts } from "./streams/chunk.ts";
import { conversationOf, type ConversationParts } from "./streams/said.ts";

/** A message with its body as it is written. */
export interface MessageParts {
  readonly httpVersion: HttpVersion;
  readonly headers: FlowHeaders;
  readonly trailers: FlowHeaders | undefined;
  readonly body: Uint8Array;
  /** The body has still its content coding, because it could not be undone. */
  readonly encoded: boolean;
  /** How the body came, when it came bit by bit. Its coding is undone when it is written. */
  readonly stream?: StreamParts | undefined;
}

/**
 * An exchange as it is written.
 *
 * @internal
 */
export interface ExchangeParts {
  readonly method: string;
  readonly url: string;
  readonly request: MessageParts;
  readonly status: number;
  readonly reason: string;
  /** What arrived; `undefined` when nothing did. */
  readonly response: MessageParts | undefined;
  readonly failure: FlowError | undefined;
  readonly timings: Timings | undefined;
  readonly comment: string | undefined;
  /** What the server said before it answered. */
  readonly informational?: readonly InformationalResponse[];
  /** Of a WebSocket. */
  readonly conversation?: ConversationParts | undefined;
}

/** What is read of a flow. */
export type PassedFlow =
  & Pick<HttpFlow, "request" | "response" | "original" | "error" | "timings" | "comment">
  & Partial<Pick<HttpFlow, "informational" | "websocket">>;

/** The parts of a flow that is done. */
export function partsOfFlow(flow: PassedFlow): ExchangeParts {
  const { request, error } = flow;
  // What an addon has made of a response it will make of it again when it is replayed.
  const response = flow.original ?? flow.response;
  const { websocket, informational = [] } = flow;
  const stream = response && streamOf(flow, response);
  return {
    // An extended CONNECT (RFC 8441) is what a GET is over HTTP/1.1.
    method: websocket === undefined ? request.method : "GET",
    url: request.url,
    // What was said in a call until it was cut is what was answered.
    request: partsOfMessage(request, stream?.turns !== undefined),
    status: response?.status ?? 0,
    reason: response?.reason ?? "",
    response: response && partsOfMessage(response, error !== undefined, stream),
    failure: error !== undefined && !isUpstreamFailure(error) && (stream?.open || websocket) ? undefined : error,
    informational,
    conversation: websocket && conversationOf(websocket),
    timings: flow.timings,
    comment: flow.comment,
  };
}

function partsOfMessage(message: Message, isPart = false, stream?: StreamParts): MessageParts {
  const { httpVersion, headers, trailers } = message;
  const parts = { httpVersion, headers, trailers };
  // Half a request body is nothing that a request could be compared with.
  const cutOff = !message.content.complete || message.content.truncated;
  if (cutOff && !isPart) return { ...parts, body: EMPTY, encoded: false };
  const bytes = message.content.bytes();
  if (stream !== undefined) return { ...parts, body: bytes, encoded: headers.has("content-encoding"), stream };
  if (bytes.length === 0 || !headers.has("content-encoding")) return { ...parts, body: bytes, encoded: false };
  // What was cut off is replayed as it came: decoded, its end would be lost or wrong.
  if (isPart) return { ...parts, body: bytes, encoded: true };
  try {
    return { ...parts, body: message.body, encoded: false };
  } catch (error) {
    if (!(error instanceof FlowtapeError)) throw error;
    return { ...parts, body: bytes, encoded: true };
  }
}

const EMPTY = new Uint8Array(0);
