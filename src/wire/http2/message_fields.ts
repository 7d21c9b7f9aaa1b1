/**
 * The fields of messages in HTTP/2, and the heads that the rest of the wire knows (RFC 9113 section 8).
 *
 * @module
 */
import { parseAuthority } from "../../flow/authority.ts";
import { reasonOf } from "../../flow/response.ts";
import { CHUNKED, EMPTY, type Framing, NO_BODY, ofLength, type RequestHead, type ResponseHead } from "../http1/head.ts";
import { checkRaw, type Pseudo, refuse } from "./check_fields.ts";
import { handshakeLines, WEBSOCKET } from "./extended_connect.ts";

/** A request as it came. */
export interface RequestFields {
  /** With a Host field in the place of `:authority`. That of a request for a WebSocket is a GET, as in HTTP/1.1. */
  readonly head: RequestHead;
  /** The value of `:scheme`; none of a CONNECT for a tunnel. */
  readonly scheme: string | undefined;
  /** The value of `:protocol`, of an extended CONNECT (RFC 8441 section 4). */
  readonly protocol: string | undefined;
}

/**
 * The head of a request.
 *
 * @param raw names and values in turn
 * @param end there is neither body nor trailers
 * @throws {Http2Error} it is malformed
 */
export function requestFields(raw: readonly string[], end: boolean, stream: number): RequestFields {
  const { pseudo, fields, host, length, lengthAt, expect, hops } = read(raw, "request", stream);
  const { method, scheme, path, authority, protocol } = pseudo;
  if (method === undefined) throw refuse("has no :method", stream);
  const connect = method === "CONNECT";
  if (protocol !== undefined && !connect) throw refuse("has :protocol and is no CONNECT", stream);
  const plainConnect = connect && protocol === undefined;
  if (plainConnect ? scheme !== undefined || path !== undefined : scheme === undefined || path === undefined) {
    throw refuse(plainConnect ? "is a CONNECT with :scheme or :path" : "lacks :scheme or :path", stream);
  }
  if (authority !== undefined && host !== undefined && authority.toLowerCase() !== host.toLowerCase()) {
    throw refuse("names one server in :authority and another in host", stream);
  }
  if (authority !== undefined && parseAuthority(authority, 0) === undefined) {
    throw refuse(`names no server: ${JSON.stringify(authority.slice(0, 100))}`, stream);
  }
  if (path !== undefined && !PATH.test(path)) {
    throw refuse(`has the :path ${JSON.stringify(path.slice(0, 100))}`, stream);
  }
  if (end && length !== undefined && length > 0) throw refuse("has a content-length and no content", stream);
  const line = authority !== undefined && host === undefined ? `host: ${authority}\r\n` : "";
  const webSocket = protocol === WEBSOCKET ? handshakeLines() : undefined;
  const start = line + (webSocket?.lines ?? "");
  const head: RequestHead = {
    kind: "request",
    version: "2",
    method: webSocket === undefined ? method : "GET",
    target: plainConnect ? authority ?? "" : path!,
    host: authority ?? host,
    expectContinue: expect && !end && !connect,
    fields: start + fields,
    // What follows a CONNECT is no content (RFC 9110 section 9.3.6).
    framing: end || connect ? NO_BODY : framingOf(length),
    keepAlive: true,
    hops: [...webSocket?.hops.map((at) => at + line.length) ?? [], ...hops.map((at) => at + start.length)],
    lengthAt: lengthAt < 0 ? -1 : lengthAt + start.length,
    codingAt: -1,
    upgrade: webSocket && WEBSOCKET,
  };
  return { head, scheme, protocol };
}

/**
 * The head of a response. HTTP/2 has no reason phrases: it gets the usual one.
 *
 * @param method of the request
 * @throws {Http2Error} it is malformed
 */
export function responseHead(raw: readonly string[], end: boolean, method: string, stream: number): ResponseHead {
  const { pseudo, fields, length, lengthAt } = read(raw, "response", stream);
  const { status: text = "" } = pseudo;
  const status = Number(text);
  if (!/^[1-9]\d\d$/.test(text)) throw refuse(`has the :status ${JSON.stringify(text)}`, stream);
  // RFC 9113 section 8.6
  if (status === 101) throw refuse("switches protocols, which HTTP/2 cannot", stream);
  if (status < 200 && end) throw refuse("is informational and the last one", stream);
  const bodiless = method === "HEAD" || status < 200 || status === 204 || status === 304;
  if (end && !bodiless && length !== undefined && length > 0) {
    throw refuse("has a content-length and no content", stream);
  }
  return {
    kind: "response",
    version: "2",
    status,
    reason: reasonOf(status),
    fields,
    framing: bodiless ? NO_BODY : end ? EMPTY : framingOf(length),
    keepAlive: true,
    hops: [],
    lengthAt,
    codingAt: -1,
    upgrade: undefined,
  };
}

/**
 * Trailers as lines.
 *
 * @throws {Http2Error} they are malformed
 */
export function trailerLines(raw: readonly string[], stream: number): string {
  return read(raw, "trailers", stream).fields;
}

/** What a body is framed by elsewhere: chunks, where its length is not known. */
function framingOf(length: number | undefined): Framing {
  if (length === undefined) return CHUNKED;
  // A body without bytes may still have trailers here: it is not EMPTY.
  return length === 0 ? { kind: "length", length } : ofLength(length);
}

interface Read {
  readonly pseudo: Partial<Record<Pseudo, string>>;
  readonly fields: string;
  readonly host: string | undefined;
  readonly length: number | undefined;
  readonly lengthAt: number;
  readonly expect: boolean;
  readonly hops: readonly number[];
}

const PATH = /^(?:\*|\/[!"$-~\x80-\xff]*)$/;
/** What a message cannot say behind its body (RFC 9110 section 6.5.1). */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set(["content-length", "host", "te", "proxy-authorization"]);

function read(raw: readonly string[], kind: "request" | "response" | "trailers", stream: number): Read {
  const pseudo = checkRaw(raw, kind, stream);
  let fields = "";
  let host: string | undefined;
  let length: number | undefined;
  let lengthAt = -1;
  let expect = false;
  const hops: number[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    if (name.startsWith(":")) continue;
    if (kind === "trailers" && NOT_IN_TRAILERS.has(name)) throw refuse(`has the trailer ${name}`, stream);
    if (name === "content-length") {
      if (!/^\d{1,15}$/.test(value) || length !== undefined && length !== Number(value)) {
        throw refuse("has a content-length that is none", stream);
      }
      // Said twice, it is still one (RFC 9110 section 8.6).
      if (length !== undefined) continue;
      length = Number(value);
      lengthAt = fields.length;
    } else if (name === "host") {
      if (host !== undefined) throw refuse("has two host fields", stream);
      host = value;
    } else if (name === "expect") {
      expect = value.toLowerCase() === "100-continue";
    } else if (name === "proxy-authorization") {
      // The only field of one connection that may stand here: it is for this proxy.
      hops.push(fields.length, fields.length + name.length + value.length + 4);
    }
    fields += `${name}: ${value}\r\n`;
  }
  return { pseudo, fields, host, length, lengthAt, expect, hops };
}
