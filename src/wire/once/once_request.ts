/**
 * A request that somebody else than a client has made, as the wire has it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { defaultPort } from "../../flow/authority.ts";
import { FlowtapeError } from "../../flow/error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import { nextPeerId } from "../../flow/peer.ts";
import { FlowRequest, type Scheme } from "../../flow/request.ts";
import type { RequestHead } from "../http1/head.ts";
import { Http1Parser } from "../http1/parser.ts";
import { checkRequestLine, requestLine } from "../http1/serializer.ts";
import type { OutgoingRequest } from "../exchange/upstream_stream.ts";
import { handshakeRequest } from "../websocket/handshake.ts";

/** A request to be sent as it is. */
export interface OnceRequest {
  /** The method, as it is to be sent. */
  readonly method: string;
  /** Scheme, host and port of the server, path and query. */
  readonly url: URL;
  /** Every field; Host is that of the URL where it is missing. What frames the body is taken from the body. */
  readonly headers: Iterable<readonly [string, string]>;
  /** The body, with its content coding; `null` when there is none. */
  readonly body: ReadableStream<Uint8Array> | null;
  /** Whether it asks for a WebSocket. */
  readonly webSocket: boolean;
}

/** A request, and how many bytes its body has where that is known. */
export interface Prepared extends OutgoingRequest {
  readonly length: number | undefined;
}

/** The largest head of a request that is made here, in bytes: whoever has made it has bounded it already. */
const HEAD_BYTES = 1024 * 1024;
/** These say of a request without a body that it has none (RFC 9110 section 8.6). */
const EXPECT_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/**
 * Makes a request ready to be sent.
 *
 * @throws {ProtocolError} it is no valid HTTP
 */
export function prepare({ method, url, headers, body, webSocket }: OnceRequest): Prepared {
  const target = `${url.pathname}${url.search}`;
  checkRequestLine(method, target);
  const { fields, length } = fieldsOf(method, url, headers, body);
  const head = parse(`${requestLine(method, target)}${fields}\r\n`);
  const scheme = url.protocol.slice(0, -1) as Scheme;
  const port = url.port === "" ? defaultPort(scheme) : Number(url.port);
  const address = { scheme, hostname: url.hostname.toLowerCase(), port, target };
  const request = new FlowRequest(method, address, "1.1", FlowHeaders.fromFields(head.fields), BodyBuffer.NONE);
  const flow = new HttpFlow(request, { id: nextPeerId(), host: "once", port: 0, connectedAt: Date.now() });
  const handshake = webSocket ? handshakeRequest(request, head) : undefined;
  if (handshake !== undefined) request.scheme = scheme === "https" ? "wss" : "ws";
  return { flow, head, continued: false, handshake, length };
}

function fieldsOf(
  method: string,
  url: URL,
  headers: OnceRequest["headers"],
  body: OnceRequest["body"],
): { fields: string; length: number | undefined } {
  const lines = [...headers];
  const has = (wanted: string) => lines.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const said = has("content-length");
  const length = body === null ? 0 : said !== undefined && /^\d{1,15}$/.test(said) ? Number(said) : undefined;
  const kept = lines.filter(([name]) => !/^(?:content-length|transfer-encoding|expect)$/i.test(name));
  const list = FlowHeaders.from(kept.map(([name, value]): [string, string] => [name, value]));
  const host = has("host") === undefined ? `Host: ${url.host}\r\n` : "";
  return { fields: host + list.fields + framing(method, body, length), length };
}

function framing(method: string, body: OnceRequest["body"], length: number | undefined): string {
  if (body !== null && length === undefined) return "Transfer-Encoding: chunked\r\n";
  return body !== null || EXPECT_BODY.has(method) ? `Content-Length: ${length}\r\n` : "";
}

function parse(text: string): RequestHead {
  const parser = new Http1Parser("request", { headBytes: HEAD_BYTES });
  parser.push(Buffer.from(text, "latin1"));
  const event = parser.next();
  if (event?.type === "head" && event.head.kind === "request") return event.head;
  throw new FlowtapeError(
    "HTTP_START_LINE",
    "the head of the request cannot be sent: it is too large, or not complete",
  );
}
