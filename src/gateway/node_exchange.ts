/**
 * One request and its response over a connection in memory, at whose other end a `node:http` server listens.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Duplex, duplexPair } from "node:stream";
import { FlowtapeError } from "../flow/error.ts";
import { FlowHeaders } from "../flow/headers.ts";
import type { Http1Event } from "../wire/http1/parser.ts";
import { Http1Parser } from "../wire/http1/parser.ts";
import type { ResponseHead } from "../wire/http1/head.ts";
import { chunkHead, fieldLine, lastChunk, requestLine } from "../wire/http1/serializer.ts";
import { MessageReader } from "../wire/message_reader.ts";
import type { HandlerInfo } from "./handler.ts";

/** The largest head of a response, in bytes. */
const HEAD_BYTES = 1024 * 1024;
/** Responses that can have no body (Fetch standard, "null body status"). */
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Speaks HTTP/1.1 with a server of this process. */
export class NodeExchange {
  /** The server's end. */
  readonly socket: Duplex;
  /** What the server answers, from its head on. */
  readonly response: Promise<Response>;

  readonly #request: Request;
  readonly #info: Partial<HandlerInfo>;
  readonly #own: Duplex;
  readonly #reader: MessageReader;
  readonly #answered = Promise.withResolvers<Response>();
  #sending: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #answering = false;
  #over = false;

  /** Sends the request. */
  constructor(request: Request, info: Partial<HandlerInfo>) {
    this.#request = request;
    this.#info = info;
    this.response = this.#answered.promise;
    const [own, socket] = duplexPair();
    this.#own = own;
    this.socket = asSocket(socket, request, info);
    const parser = new Http1Parser("response", { headBytes: HEAD_BYTES });
    parser.answers(request.method);
    this.#reader = new MessageReader(own, parser, {
      event: (event) => this.#event(event),
      malformed: (error) => this.#fail(error),
      finished: () => this.#fail(closed()),
    });
    own.on("error", () => {});
    socket.on("error", () => {});
    // What the server has said in full is still to be read.
    socket.on("close", () => void (socket.writableFinished || own.destroy()));
    own.on("close", () => {
      socket.destroy();
      this.#fail(closed());
    });
    request.signal.addEventListener("abort", () => this.#fail(request.signal.reason), { once: true });
    this.#send();
  }

  #send(): void {
    const { method, url, headers, body } = this.#request;
    const { pathname, search } = new URL(url);
    const upgrades = headers.has("upgrade");
    const chunked = body !== null && !headers.has("content-length");
    let head = requestLine(method, pathname + search);
    for (const [name, value] of headers) {
      if (name === "transfer-encoding" || (name === "connection" && !upgrades)) continue;
      head += fieldLine(name, value);
    }
    if (!headers.has("host")) head += fieldLine("host", new URL(url).host);
    if (!upgrades) head += fieldLine("connection", "close");
    if (chunked) head += fieldLine("transfer-encoding", "chunked");
    this.#own.write(Buffer.from(`${head}\r\n`, "latin1"));
    // Whoever waits to be told to go on is told by the server.
    if (body !== null && !/100-continue/i.test(headers.get("expect") ?? "")) void this.#upload();
  }

  async #upload(): Promise<void> {
    if (this.#sending !== undefined || this.#over || this.#request.body === null) return;
    const reader = this.#sending = this.#request.body.getReader();
    const chunked = !this.#request.headers.has("content-length");
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (this.#own.destroyed || this.#own.writableEnded) return;
        if (done) {
          if (chunked) this.#own.write(lastChunk());
          return;
        }
        if (value.length === 0) continue;
        const more = chunked
          ? this.#own.write(Buffer.concat([Buffer.from(chunkHead(value.length)), value, CRLF]))
          : this.#own.write(value);
        if (!more) await drained(this.#own);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #event(event: Http1Event): void {
    switch (event.type) {
      case "head":
        this.#head(event.head as ResponseHead);
        break;
      case "data":
        this.#body?.enqueue(new Uint8Array(event.data));
        if (this.#body !== undefined && (this.#body.desiredSize ?? 1) <= 0) this.#reader.stop();
        break;
      case "end":
        // An informational response has an end of its own.
        if (this.#answering) this.#end();
        break;
    }
  }

  #head({ status, reason, fields }: ResponseHead): void {
    if (status === 101) return this.#switch(fields);
    if (status < 200) {
      if (status === 100) void this.#upload();
      return;
    }
    this.#answering = true;
    try {
      const bodiless = this.#request.method === "HEAD" || NULL_BODY.has(status);
      const body = bodiless ? null : this.#stream();
      const headers = FlowHeaders.fromFields(fields).toHeaders();
      this.#answered.resolve(new Response(body, { status, statusText: reason, headers }));
    } catch (error) {
      this.#fail(error);
    }
  }

  #stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#body = controller),
      pull: () => this.#reader.go(),
      cancel: () => {
        this.#body = undefined;
        this.#own.destroy();
      },
    }, { highWaterMark: 64 * 1024, size: (piece) => piece?.byteLength ?? 0 });
  }

  #switch(fields: string): void {
    this.#over = true;
    const early = this.#reader.detach();
    if (this.#info.switchTo === undefined) return void this.#own.destroy();
    const stream = this.#own;
    this.#answered.resolve(this.#info.switchTo({ headers: FlowHeaders.fromFields(fields).raw, stream, early }));
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#body?.close();
    this.#close();
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#answered.reject(error);
    this.#body?.error(error);
    this.#close();
  }

  #close(): void {
    // It may be locked by the one who reads it here.
    this.#sending?.cancel().catch(() => {});
    this.#own.destroy();
  }
}

const CRLF = Buffer.from("\r\n");

function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}

function closed(): FlowtapeError {
  return new FlowtapeError("APP_CLOSED", "the listener closed the connection before it had answered");
}

/** What listeners ask of the socket of a request. */
function asSocket(stream: Duplex, request: Request, { remoteAddr, client }: Partial<HandlerInfo>): Duplex {
  const itself = () => stream;
  return Object.assign(stream, {
    remoteAddress: remoteAddr?.hostname,
    remotePort: remoteAddr?.port,
    remoteFamily: remoteAddr?.hostname.includes(":") ? "IPv6" : "IPv4",
    localAddress: client?.localAddress,
    localPort: client?.localPort,
    encrypted: request.url.startsWith("https:"),
    setTimeout: itself,
    setNoDelay: itself,
    setKeepAlive: itself,
    ref: itself,
    unref: itself,
    destroySoon: () => stream.writable ? stream.end(() => stream.destroy()) : stream.destroy(),
  });
}
