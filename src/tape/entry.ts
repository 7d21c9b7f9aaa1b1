/**
 * One recorded exchange. A tape may hold very many: an entry keeps a handful of strings, and makes messages of them when
 * somebody asks.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { defaultPort } from "../flow/authority.ts";
import { BodyBuffer } from "../flow/body_buffer.ts";
import { TapeError } from "../flow/error.ts";
import type { FlowError } from "../flow/flow_error.ts";
import { FlowHeaders } from "../flow/headers.ts";
import type { HttpVersion } from "../flow/message.ts";
import { FlowRequest, type Scheme } from "../flow/request.ts";
import { FlowResponse } from "../flow/response.ts";
import { textToBody } from "./media.ts";
import type { ExchangeParts, MessageParts } from "./parts.ts";

/**
 * A body as it stands on the tape.
 *
 * @internal
 */
export interface StoredBody {
  readonly form: "text" | "base64" | "file";
  /** The text, the base64, the name of the file. */
  readonly value: string;
  /** It has still its content coding. */
  readonly encoded: boolean;
}

/** A message as it stands on the tape. */
export interface StoredMessage {
  readonly httpVersion: HttpVersion;
  /** Field lines, each ended with CRLF. */
  readonly fields: string;
  readonly trailers: string | undefined;
  readonly body: StoredBody | undefined;
}

/** All of an entry. */
export interface StoredEntry {
  readonly method: string;
  readonly url: string;
  readonly request: StoredMessage;
  /** 0 when there was no response. */
  readonly status: number;
  readonly reason: string;
  readonly response: StoredMessage;
  readonly failure: FlowError | undefined;
  readonly comment: string | undefined;
}

/** Reads a body file of the tape. */
export type ReadBody = (name: string, entry: TapeEntry) => Promise<Uint8Array>;

/** One recorded exchange. */
export class TapeEntry {
  /** Its place on the tape, from 0. */
  readonly index: number;
  readonly #stored: StoredEntry;
  readonly #read: ReadBody;

  /** For the reader of tapes. */
  constructor(index: number, stored: StoredEntry, read: ReadBody) {
    this.index = index;
    this.#stored = stored;
    this.#read = read;
  }

  /** The method of the request. */
  get method(): string {
    return this.#stored.method;
  }

  /** The absolute URL of the request. */
  get url(): string {
    return this.#stored.url;
  }

  /** The status of the response; 0 when there was none. */
  get status(): number {
    return this.#stored.status;
  }

  /** Why the exchange failed. */
  get failure(): FlowError | undefined {
    return this.#stored.failure;
  }

  /** A remark. */
  get comment(): string | undefined {
    return this.#stored.comment;
  }

  /** The header fields of the request; a copy. */
  get requestHeaders(): FlowHeaders {
    return FlowHeaders.fromFields(this.#stored.request.fields);
  }

  /** The header fields of the response; a copy. */
  get responseHeaders(): FlowHeaders {
    return FlowHeaders.fromFields(this.#stored.response.fields);
  }

  /** For the index: how the body of the request is kept; `undefined` when there is none. */
  get requestBody(): StoredBody | undefined {
    return this.#stored.request.body;
  }

  /** The request as it was sent, but without content coding. Its body is read from disk if it is there. */
  async request(): Promise<FlowRequest> {
    return this.#requestWith(await this.#bodyOf(this.#stored.request));
  }

  /** For the index: the request at once, if its body is not in a file. */
  requestNow(): FlowRequest | undefined {
    const body = this.#inlineBodyOf(this.#stored.request);
    return body && this.#requestWith(body);
  }

  /** The response to replay, or what arrived of it; `undefined` when there was none. */
  async response(): Promise<FlowResponse | undefined> {
    const { status, reason, response, failure, method } = this.#stored;
    if (status === 0) return undefined;
    const bodiless = method === "HEAD" || status === 204 || status === 304;
    const body = bodiless ? EMPTY : await this.#bodyOf(response);
    const headers = FlowHeaders.fromFields(response.fields);
    // How it was framed was a matter of that connection (RFC 9112 section 6).
    for (const name of ["transfer-encoding", "connection", "keep-alive", "proxy-connection"]) headers.delete(name);
    if (!bodiless && !response.body?.encoded) headers.delete("content-encoding");
    // What ends too early keeps the length that it falls short of.
    const short = failure !== undefined && Number(headers.get("content-length")) > body.length;
    if (status === 204 || (!bodiless && !short)) headers.delete("content-length");
    const message = new FlowResponse(status, reason, response.httpVersion, headers, BodyBuffer.of(body));
    if (response.trailers !== undefined) message.trailers = FlowHeaders.fromFields(response.trailers);
    return message;
  }

  /** For the writer: what is written of it. */
  async parts(): Promise<ExchangeParts> {
    const { method, url, request, status, reason, response, failure, comment } = this.#stored;
    return {
      method,
      url,
      request: await this.#partsOf(request),
      status,
      reason,
      response: status === 0 ? undefined : await this.#partsOf(response),
      failure,
      timings: undefined,
      comment,
    };
  }

  /** `GET https://shop.test/orders` */
  toString(): string {
    return `${this.method} ${this.url}`;
  }

  #requestWith(body: Uint8Array): FlowRequest {
    const { method, url, request } = this.#stored;
    const headers = FlowHeaders.fromFields(request.fields);
    if (!request.body?.encoded) headers.delete("content-encoding");
    const address = splitUrl(url);
    if (method === "OPTIONS" && !/\/\/[^/]*\//.test(url)) address.target = "*";
    const message = new FlowRequest(method, address, request.httpVersion, headers, BodyBuffer.of(body));
    if (request.trailers !== undefined) message.trailers = FlowHeaders.fromFields(request.trailers);
    return message;
  }

  async #partsOf(message: StoredMessage): Promise<MessageParts> {
    const { httpVersion, fields, trailers, body } = message;
    return {
      httpVersion,
      headers: FlowHeaders.fromFields(fields),
      trailers: trailers === undefined ? undefined : FlowHeaders.fromFields(trailers),
      body: await this.#bodyOf(message),
      encoded: body?.encoded ?? false,
    };
  }

  async #bodyOf(message: StoredMessage): Promise<Uint8Array> {
    return this.#inlineBodyOf(message) ?? await this.#read(message.body!.value, this);
  }

  #inlineBodyOf({ body, fields }: StoredMessage): Uint8Array | undefined {
    if (body === undefined) return EMPTY;
    if (body.form === "file") return undefined;
    if (body.form === "base64") return Buffer.from(body.value, "base64");
    return textToBody(body.value, FlowHeaders.fromFields(fields).get("content-type"));
  }
}

const EMPTY = new Uint8Array(0);

/** The parts of an absolute URL, as the wire would have read them. */
export function splitUrl(url: string): { scheme: Scheme; hostname: string; port: number; target: string } {
  const parsed = URL.parse(url);
  if (parsed === null) throw new TapeError("TAPE_DAMAGED", `${JSON.stringify(url)} is not an absolute URL`);
  const scheme = parsed.protocol.slice(0, -1) as Scheme;
  // The target as it was sent: parsing would change its escapes.
  const target = /^[^:]+:\/\/[^/?#]*([^#]*)/.exec(url)![1]!;
  return {
    scheme,
    hostname: parsed.hostname,
    port: parsed.port === "" ? defaultPort(scheme) : Number(parsed.port),
    target: target.startsWith("/") ? target : `/${target}`,
  };
}
