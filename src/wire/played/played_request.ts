/**
 * A request of a flow as if a client had sent it: the head as a parser reads it, and the body.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowHeaders } from "../../flow/headers.ts";
import type { FlowRequest } from "../../flow/request.ts";
import { reasonOf } from "../../flow/response.ts";
import { checkRequestLine, requestLine } from "../http1/serializer.ts";
import type { RequestHead } from "../http1/head.ts";
import { Http1Parser } from "../http1/parser.ts";
import { requestFields } from "../http2/message_fields.ts";

/** What a client has to send. */
export interface PlayedRequest {
  /** As the parser of the wire reads it. */
  readonly head: RequestHead;
  /** With its content coding. */
  readonly body: Uint8Array;
  /** Raw lines; `""` when there are none. */
  readonly trailers: string;
}

/**
 * Makes a request ready to be sent: every field line as it stands, only that Content-Length and Transfer-Encoding say the truth.
 *
 * @param headBytes the largest head, in bytes
 * @throws {ProtocolError} it is no valid HTTP
 */
export function playedRequest(request: FlowRequest, headBytes: number): PlayedRequest {
  // Its own bytes: hooks may write into what they are given.
  const body = new Uint8Array(request.content.bytes());
  const trailers = request.trailers?.fields ?? "";
  return { head: headOf(request, body.length, trailers !== "", headBytes), body, trailers };
}

/** Refuses a request whose body is not there as a whole. */
export function checkComplete({ method, content }: FlowRequest): void {
  if (content.complete && !content.truncated) return;
  throw new FlowtapeError(
    "BODY_TRUNCATED",
    `this ${method} cannot be sent again, because only ${content.kept} bytes of its body are there: raise capture.maxBody, wait ` +
      "until the flow is over, or give it another body",
  );
}

function headOf(request: FlowRequest, length: number, trailers: boolean, headBytes: number): RequestHead {
  if (request.httpVersion !== "2") return http1Head(request, length, trailers, headBytes);
  // A flow shows the handshake of a WebSocket as that of HTTP/1.1 (RFC 8441 section 5).
  if (!/^wss?$/.test(request.scheme)) return http2Head(request, length, trailers);
  return { ...http1Head(request, length, trailers, headBytes), version: "2" };
}

function http1Head(request: FlowRequest, length: number, trailers: boolean, headBytes: number): RequestHead {
  const { method, target } = request;
  const version = request.httpVersion === "1.0" ? "1.0" : "1.1";
  checkRequestLine(method, target);
  const fields = framed(request.headers, length, version === "1.0" ? "never chunked" : trailers ? "chunked" : "either");
  const parser = new Http1Parser("request", { headBytes });
  parser.push(Buffer.from(`${requestLine(method, target, version)}${fields}\r\n`, "latin1"));
  const event = parser.next();
  if (event?.type === "head" && event.head.kind === "request") return event.head;
  throw new FlowtapeError("HTTP_START_LINE", `${method} ${target} cannot be sent (${reasonOf(400)})`);
}

function http2Head(request: FlowRequest, length: number, trailers: boolean): RequestHead {
  const { method, scheme, target, headers } = request;
  const truthful = headers.clone();
  // Without one, the end of the stream is the end of the body (RFC 9113 section 8.1.1).
  if (headers.has("content-length") && headers.get("content-length") !== String(length)) {
    truthful.set("content-length", String(length));
  }
  const raw = [":method", method, ":scheme", scheme, ":path", target];
  for (const [name, value] of truthful) raw.push(name.toLowerCase(), value);
  return requestFields(raw, length === 0 && !trailers, 1).head;
}

/** The field lines, with what frames the body in its place when that is not what they say. */
function framed(headers: FlowHeaders, length: number, chunks: "chunked" | "either" | "never chunked"): string {
  const chunked = chunks === "chunked" || chunks === "either" && headers.has("transfer-encoding");
  const lengths = headers.getAll("content-length");
  const truthful = chunked
    ? headers.has("transfer-encoding") && lengths.length === 0
    : !headers.has("transfer-encoding") && (lengths.length === 0 ? length === 0 : lengths.join() === String(length));
  if (truthful) return headers.fields;
  const changed = headers.clone();
  changed.delete(chunked ? "content-length" : "transfer-encoding");
  if (!chunked) changed.set("Content-Length", String(length));
  else if (!changed.has("transfer-encoding")) changed.append("Transfer-Encoding", "chunked");
  return changed.fields;
}
