/**
 * One recorded exchange. A tape may hold very many: an entry keeps a handful of strings, and makes messages of them when
 * somebody asks.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import { defaultPort } from "../flow/authority.ts";
import { BodyBuffer } from "../flow/body_buffer.ts";
import { TapeError } from "../flow/error.ts";
import type { FlowError } from "../flow/flow_error.ts";
import { FlowHeaders } from "../flow/headers.ts";
import type { InformationalResponse } from "../flow/http_flow.ts";
import type { HttpVersion } from "../flow/message.ts";
import { FlowRequest, type Scheme } from "../flow/request.ts";
import { FlowResponse } from "../flow/response.ts";
import { Wrong } from "./field.ts";
import { damaged, type Json } from "./har_read.ts";
import { textToBody } from "./media.ts";
import type { ExchangeParts, MessageParts } from "./parts.ts";
import { streamOfFile } from "./spill/large_file.ts";
import type { OpenFile } from "./store/tape_store.ts";
import { readLines } from "./streams/lines.ts";
import {
  cutBody,
  readChunkLine,
  readTcpLine,
  readWebSocketLine,
  type RecordedChunk,
  type StoredConversation,
  type StoredStream,
  type StoredTcp,
} from "./streams/read.ts";
import type { Said, SaidClose, TcpEnd, TcpParts } from "./streams/said.ts";

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
  /** How long the server took to answer, in milliseconds; missing where no times are known. */
  readonly wait?: number | undefined;
  readonly informational?: readonly InformationalResponse[] | undefined;
  /** Of a response that came bit by bit. */
  readonly stream?: StoredStream | undefined;
  /** Of a WebSocket. */
  readonly conversation?: StoredConversation | undefined;
  /** Of a raw conversation. */
  readonly tcp?: StoredTcp | undefined;
  /** The file with the chunks, or with what was said. */
  readonly lines?: string | undefined;
}

/** Reads a body file of the tape. */
export interface ReadBody {
  /** As a whole. */
  (name: string, entry: TapeEntry): Promise<Uint8Array>;
  /** Bit by bit, where the store can do that. */
  open?(name: string): Promise<OpenFile | undefined>;
  /** Without waiting, where the store can do that; `undefined`: it is no text, or very large. */
  now?(name: string): Uint8Array | undefined;
}

/** What is different of an entry that is taken to another tape. */
interface Changes {
  readonly stored: StoredEntry;
  /** Makes something else of a body in a file. */
  change(bytes: Uint8Array): Uint8Array;
}

/** Larger files are not read into memory as a whole for replay. */
const LARGE = 8 * 1024 * 1024;

/** One recorded exchange. */
export class TapeEntry {
  /** Its place on the tape, from 0. */
  readonly index: number;
  readonly #stored: StoredEntry;
  readonly #read: ReadBody;
  readonly #path: string;

  /**
   * For the reader of tapes.
   *
   * @param path the tape, for errors
   */
  constructor(index: number, stored: StoredEntry, read: ReadBody, path: string = "the tape") {
    this.index = index;
    this.#stored = stored;
    this.#read = read;
    this.#path = path;
  }

  /** What it is: an exchange, a WebSocket, or a conversation of raw bytes. */
  get kind(): "http" | "websocket" | "tcp" {
    const { tcp, conversation } = this.#stored;
    return tcp !== undefined ? "tcp" : conversation !== undefined ? "websocket" : "http";
  }

  /** The method of the request; `TCP` of a raw conversation. */
  get method(): string {
    return this.#stored.method;
  }

  /** The absolute URL of the request; such as `tcp://redis.test:6379` of a raw conversation. */
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

  /** How long the server took to answer, in milliseconds; 0 where no times are known. */
  get wait(): number {
    return this.#stored.wait ?? 0;
  }

  /** The informational responses (1xx) before the answer. */
  get informational(): readonly InformationalResponse[] {
    return this.#stored.informational ?? [];
  }

  /** Whether the body of the response came bit by bit, and how; its chunks are read with {@linkcode TapeEntry.chunks}. */
  get stream(): StoredStream | undefined {
    return this.#stored.stream;
  }

  /** How a WebSocket was closed; `undefined`: it was open when the recording ended, or it is not known. */
  get close(): SaidClose | undefined {
    return this.#stored.conversation?.close;
  }

  /** Who has ended a raw conversation; `open` when the recording ended before. */
  get tcpEnd(): TcpEnd {
    return this.#stored.tcp?.end ?? "open";
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

  /**
   * For explanations: the request, in which a line of text stands for a large body.
   *
   * @param describe makes that line of its length and the name of its file
   */
  async requestWithout(describe: (size: number, name: string) => Uint8Array): Promise<FlowRequest> {
    const file = await this.largeRequestBody();
    if (file === undefined) return await this.request();
    await file.close();
    const request = this.#requestWith(describe(file.size, this.#stored.request.body!.value));
    request.headers.delete("content-type");
    return request;
  }

  /** For the index: the request at once, if its body is not in a file. */
  requestNow(): FlowRequest | undefined {
    const body = this.#inlineBodyOf(this.#stored.request);
    return body && this.#requestWith(body);
  }

  /** For the index: the file with the body of the request when it is large, to be closed by whoever asks. */
  async largeRequestBody(): Promise<OpenFile | undefined> {
    return await this.#large(this.#stored.request.body);
  }

  /**
   * The response to replay, or what arrived of it; `undefined` when there was none.
   *
   * @param options `stream`: a large body is read while it is sent
   */
  async response({ stream = false }: { stream?: boolean } = {}): Promise<FlowResponse | undefined> {
    const { status, reason, response, failure, method } = this.#stored;
    if (status === 0) return undefined;
    const bodiless = method === "HEAD" || status === 204 || status === 304;
    const large = stream && !bodiless && failure === undefined ? await this.#large(response.body) : undefined;
    const body = bodiless || large !== undefined ? EMPTY : await this.#bodyOf(response);
    const headers = FlowHeaders.fromFields(response.fields);
    // How it was framed was a matter of that connection (RFC 9112 section 6).
    for (const name of ["transfer-encoding", "connection", "keep-alive", "proxy-connection"]) headers.delete(name);
    if (!bodiless && !response.body?.encoded) headers.delete("content-encoding");
    // What ends too early keeps the length that it falls short of.
    const short = failure !== undefined && Number(headers.get("content-length")) > body.length;
    if (status === 204 || (!bodiless && !short)) headers.delete("content-length");
    const content = large === undefined ? BodyBuffer.of(body) : new BodyBuffer();
    if (large !== undefined) content.expected = large.size;
    const source = large && streamOfFile(large);
    const message = new FlowResponse(status, reason, response.httpVersion, headers, content, source);
    if (response.trailers !== undefined) message.trailers = FlowHeaders.fromFields(response.trailers);
    return message;
  }

  /**
   * The chunks of a streamed response body; `undefined` when it is none.
   *
   * @throws {TapeError} they cannot be read
   */
  async chunks(): Promise<RecordedChunk[] | undefined> {
    const { stream, lines, response } = this.#stored;
    if (stream === undefined) return undefined;
    if (lines !== undefined) return await this.#lines(lines, readChunkLine);
    return this.#checked(() => cutBody(this.#inlineBodyOf(response)!, stream.chunks!, "response.content"));
  }

  /**
   * What was said over a WebSocket, or in a raw conversation; `undefined` when it is neither.
   *
   * @throws {TapeError} it cannot be read
   */
  async said(): Promise<Said[] | undefined> {
    const { conversation, tcp, lines } = this.#stored;
    const read = conversation === undefined
      ? readTcpLine
      : (line: Json, where: string) => readWebSocketLine(line, where, conversation.start);
    const stored = conversation ?? tcp;
    if (stored === undefined) return undefined;
    if (lines !== undefined) return await this.#lines(lines, read);
    return this.#checked(() => (stored.messages ?? []).map((line, i) => read(line, `messages[${i}]`)));
  }

  async #lines<T>(file: string, read: (line: Json, where: string) => T): Promise<T[]> {
    const bytes = await this.#read(file, this);
    return this.#checked(() => readLines(bytes, `${basename(this.#path)}.d/${file}`, read));
  }

  #checked<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      throw damaged(this.#path, error.describe(`log.entries[${this.index}] (${this})`), undefined, error.code);
    }
  }

  /** For the writer: what is written of it. */
  async parts(): Promise<ExchangeParts | TcpParts> {
    if (this.#stored.tcp !== undefined) return await this.#tcpParts();
    const { informational, conversation } = this.#stored;
    const { method, url, request, status, reason, response, failure, comment } = this.#stored;
    return {
      method,
      url,
      request: await this.#partsOf(request),
      status,
      reason,
      response: status === 0 ? undefined : await this.#responseParts(response),
      failure,
      timings: undefined,
      comment,
      ...(informational && { informational }),
      ...(conversation && {
        conversation: { messages: (await this.said())!, ...(conversation.close && { close: conversation.close }) },
      }),
    };
  }

  async #tcpParts(): Promise<TcpParts> {
    const { url, failure, comment, tcp } = this.#stored;
    const { hostname, port } = addressOfTcp(url);
    const messages = (await this.said())!;
    return { hostname, port, messages, end: tcp!.end, failure, timings: undefined, comment };
  }

  async #responseParts(response: StoredMessage): Promise<MessageParts> {
    const { stream } = this.#stored;
    const parts = await this.#partsOf(response);
    if (stream === undefined) return parts;
    const chunks = (await this.chunks())!;
    let end = 0;
    const marks = chunks.map(({ data, time, after }) => ({ end: end += data.length, time, after }));
    return { ...parts, stream: { open: stream.open, chunks: marks, turns: stream.turns } };
  }

  /**
   * For merging: all of it.
   *
   * @internal
   */
  get stored(): StoredEntry {
    return this.#stored;
  }

  /**
   * For merging: the same in another place.
   *
   * @internal
   */
  movedTo(index: number, { stored = this.#stored, change }: Partial<Changes> = {}): TapeEntry {
    const read: ReadBody = async (name) => {
      const bytes = await this.#read(name, this);
      return change === undefined ? bytes : change(bytes);
    };
    if (this.#read.open !== undefined) read.open = (name) => this.#read.open!(name);
    if (this.#read.now !== undefined) read.now = (name) => this.#read.now!(name);
    return new TapeEntry(index, stored, read, this.#path);
  }

  /**
   * For merging: the bytes of its files, where they can be had without waiting.
   *
   * @internal
   */
  filesNow(): Uint8Array[] {
    const { request, response } = this.#stored;
    return [request.body, response.body].flatMap((body) => {
      const bytes = body?.form === "file" ? this.#read.now?.(body.value) : undefined;
      return bytes === undefined ? [] : [bytes];
    });
  }

  /** `GET https://shop.test/orders` */
  toString(): string {
    return `${this.method} ${this.url}`;
  }

  // The chunks of a body that stands in a file of lines, as a whole.
  async #joined(): Promise<Uint8Array> {
    return Buffer.concat((await this.chunks())!.map(({ data }) => data));
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

  async #large(body: StoredBody | undefined): Promise<OpenFile | undefined> {
    if (body?.form !== "file" || this.#stored.lines !== undefined) return undefined;
    const file = await this.#read.open?.(body.value);
    if (file === undefined || file.size > LARGE) return file;
    await file.close();
    return undefined;
  }

  async #bodyOf(message: StoredMessage): Promise<Uint8Array> {
    const { lines, stream, response } = this.#stored;
    if (message === response && lines !== undefined && stream !== undefined) return await this.#joined();
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

/** The server of a raw conversation. */
export function addressOfTcp(url: string): { hostname: string; port: number } {
  const { hostname = "", port = "" } = /^tcp:\/\/(?<hostname>.+):(?<port>\d+)$/.exec(url)?.groups ?? {};
  return { hostname, port: Number(port) };
}

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
