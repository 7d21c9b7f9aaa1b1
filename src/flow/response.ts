/**
 * A response as it passes.
 *
 * @module
 */
import { STATUS_TEXT, type StatusCode } from "@std/http/status";
import { getSetCookies } from "@std/http/cookie";
import { Buffer } from "node:buffer";
import { BodyBuffer } from "./body_buffer.ts";
import { OptionsError } from "./error.ts";
import { FlowHeaders, type HeadersLike } from "./headers.ts";
import type { InformationalResponse } from "./http_flow.ts";
import { describeValue } from "./matcher/describe.ts";
import { type HttpVersion, Message } from "./message.ts";
import type { WebSocketAnswer } from "./websocket_answer.ts";

/** What {@linkcode FlowResponse.create} takes. */
export interface ResponseInit {
  /** 200 by default. */
  status?: number;
  /** The reason phrase; the one of the status by default. */
  reason?: string;
  /** Header fields. The wire adds the length of the body. */
  headers?: HeadersLike;
  /** The body; empty by default. A stream is passed on as it comes. */
  body?: Uint8Array | string | ReadableStream<Uint8Array>;
  /** Sets the body to this value as JSON, and `content-type` when it is missing. */
  json?: unknown;
  /** `"1.1"` by default. */
  httpVersion?: HttpVersion;
}

/** The response of a flow. Everything can be edited until it is sent. */
export class FlowResponse extends Message {
  /** The status code. */
  status: number;
  /** The reason phrase, as sent. */
  reason: string;
  /** A body that is still to be made: the wire reads it while it sends. */
  readonly source: ReadableStream<Uint8Array> | undefined;
  /** Of an answer that an addon has made: the informational responses (1xx) that go before it. */
  early?: readonly InformationalResponse[];
  /** Of a 101 that an addon has made: who speaks for the server. */
  websocket?: WebSocketAnswer;

  /** For the wire and the tape; everybody else uses {@linkcode FlowResponse.create}. */
  constructor(
    status: number,
    reason: string,
    httpVersion: HttpVersion,
    headers: FlowHeaders,
    content: BodyBuffer,
    source?: ReadableStream<Uint8Array>,
  ) {
    super(httpVersion, headers, content);
    this.status = status;
    this.reason = reason;
    this.source = source;
  }

  /**
   * A response made by hand.
   *
   * @example
   * ```ts
   * import { FlowResponse } from "flowtape";
   *
   * const response = FlowResponse.create({ status: 404, json: { error: "no such order" } });
   * response.reason; // "Not Found"
   * ```
   */
  static create(init: ResponseInit = {}): FlowResponse {
    const status = init.status ?? 200;
    if (!Number.isInteger(status) || status < 200 || status > 999) {
      throw new OptionsError(
        `status ${describeValue(status)} is not valid: a final status is a whole number from 200 to 999`,
      );
    }
    const headers = FlowHeaders.from(init.headers ?? []);
    let body = init.body;
    if (init.json !== undefined) {
      body = JSON.stringify(init.json);
      if (!headers.has("content-type")) headers.append("content-type", "application/json");
    }
    const stream = body instanceof ReadableStream ? body : undefined;
    const bytes = typeof body === "string" ? Buffer.from(body) : body instanceof Uint8Array ? body : undefined;
    const content = stream ? new BodyBuffer() : BodyBuffer.of(bytes ?? new Uint8Array(0));
    const reason = init.reason ?? reasonOf(status);
    return new FlowResponse(status, reason, init.httpVersion ?? "1.1", headers, content, stream);
  }

  /**
   * Answers a request for a WebSocket without a server: the addon that sets it as `flow.response` speaks for the server. The fields of
   * the handshake are added by the wire.
   *
   * @param headers such as `sec-websocket-protocol`
   */
  static switchToWebSocket(answer: WebSocketAnswer, headers: HeadersLike = []): FlowResponse {
    const response = new FlowResponse(101, reasonOf(101), "1.1", FlowHeaders.from(headers), BodyBuffer.NONE);
    response.websocket = answer;
    return response;
  }

  /** `response`. */
  protected override readonly what: string = "response";

  /** Cookies of the `Set-Cookie` fields by name; the last one wins. */
  override get cookies(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const cookie of getSetCookies(this.headers.toHeaders())) found[cookie.name] = cookie.value;
    return found;
  }
}

/** The reason phrase of a status code; `""` when it has none. */
export function reasonOf(status: number): string {
  return STATUS_TEXT[status as StatusCode] ?? "";
}
