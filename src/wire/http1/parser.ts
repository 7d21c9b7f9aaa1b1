/**
 * HTTP/1.1 without I/O: bytes in, events out (RFC 9112).
 *
 * @example
 * ```ts
 * import { Buffer } from "node:buffer";
 *
 * const parser = new Http1Parser("request");
 * parser.push(Buffer.from("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n"));
 * for (let event = parser.next(); event !== undefined; event = parser.next()) {
 *   console.log(event.type); // "head", then "end"
 * }
 * ```
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { ByteQueue } from "./byte_queue.ts";
import { ChunkScanner } from "./chunk_scanner.ts";
import type { EndEvent, Http1Event } from "./event.ts";
import type { RequestHead, ResponseHead } from "./head.ts";
import { CR, LF } from "./octets.ts";
import { ProtocolError } from "./protocol_error.ts";
import { RequestScanner } from "./request_scanner.ts";
import { ResponseScanner } from "./response_scanner.ts";
import { TrailerScanner } from "./trailer_scanner.ts";

export type { DataEvent, EndEvent, HeadEvent, Http1Event } from "./event.ts";

/** Limits of a parser. */
export interface Http1ParserOptions {
  /** How many bytes a head may have, start line included; trailers may have as many. Default: 65536. */
  readonly headBytes?: number;
}

const HEAD = 0;
const BODY_OF_LENGTH = 1;
const BODY_UNTIL_CLOSE = 2;
const CHUNK_LINE = 3;
const CHUNK_DATA = 4;
const CHUNK_END = 5;
const TRAILERS = 6;
const END = 7;
/** HTTP is over on this connection: after 101, after a tunnel was opened, after a body that ended with the connection. */
const OVER = 8;

const DEFAULT_HEAD_BYTES = 65536;
/** Empty lines before a request line: RFC 9112 2.2 wants at least one to be ignored; some clients send one after a POST body. */
const MAX_EMPTY_LINES = 8;
const PLAIN_END: EndEvent = Object.freeze({ type: "end", trailers: "" });

/**
 * Reads the messages of one direction of one connection. Strict: a message that two parsers could read differently is refused with
 * a {@link ProtocolError}, always the same however the bytes were split, and again at every further call.
 */
export class Http1Parser {
  readonly #queue: ByteQueue = new ByteQueue();
  readonly #requests: RequestScanner | undefined;
  readonly #responses: ResponseScanner;
  readonly #headBytes: number;
  readonly #chunks: ChunkScanner = new ChunkScanner();
  #trailers: TrailerScanner | undefined;
  #state = HEAD;
  /** Bytes that are left of the body, or of the chunk. */
  #left = 0;
  /** The size of the chunk in hand until its first piece is out, then 0. */
  #chunk = 0;
  #emptyLines = 0;
  /** Where `#state` goes after the end of the message. */
  #after = HEAD;
  #asked: string[] = [];
  #failure: ProtocolError | undefined;

  /**
   * @param kind what arrives: the requests of a client, or the responses of a server
   * @param options limits
   */
  constructor(kind: "request" | "response", options: Http1ParserOptions = {}) {
    this.#headBytes = options.headBytes ?? DEFAULT_HEAD_BYTES;
    this.#requests = kind === "request" ? new RequestScanner(this.#headBytes) : undefined;
    this.#responses = new ResponseScanner(this.#headBytes);
  }

  /** Takes bytes. They are not copied as a rule, so the caller must not write over them afterwards. */
  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /**
   * The next event, or `undefined`: more bytes are needed. After an "end" event the next message is read, except where HTTP is
   * over: after 101, and after a 2xx answer to CONNECT. A parser of requests cannot know the answer: after a CONNECT or an upgrade,
   * ask for the next event only when it was refused.
   */
  next(): Http1Event | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#step();
    } catch (error) {
      if (error instanceof ProtocolError) this.#failure = error;
      throw error;
    }
  }

  /**
   * Announces the method of the next request whose response is awaited: responses are matched in order, and the response to HEAD
   * has no body, that to CONNECT none if it is 2xx. A response that was not announced is read like one to GET.
   */
  answers(method: string): void {
    this.#asked.push(method);
  }

  /**
   * The peer closed its side. Call it until it returns `undefined`: first come the events of bytes still here, then the "end" of a body that
   * ends with the connection.
   *
   * @throws {ProtocolError} `HTTP_TRUNCATED` in the middle of a message
   */
  finish(): Http1Event | undefined {
    const event = this.next();
    if (event !== undefined) return event;
    if (this.#state === OVER || this.idle) return undefined;
    if (this.#state === BODY_UNTIL_CLOSE) {
      this.#state = OVER;
      return PLAIN_END;
    }
    const missing = this.#state === BODY_OF_LENGTH ? ` with ${this.#left} bytes of its body missing` : "";
    this.#failure = new ProtocolError("HTTP_TRUNCATED", `The connection was closed in the middle of a message${missing} (RFC 9112 8)`);
    throw this.#failure;
  }

  /** Takes the bytes that were not consumed, after a CONNECT or an upgrade. */
  rest(): Buffer {
    return this.#queue.take(this.#queue.length);
  }

  /** Whether the parser is between messages and holds no bytes. */
  get idle(): boolean {
    return this.#state === HEAD && this.#queue.length === 0;
  }

  /** How many bytes have not been consumed. */
  get buffered(): number {
    return this.#queue.length;
  }

  #step(): Http1Event | undefined {
    const queue = this.#queue;
    for (;;) {
      switch (this.#state) {
        case HEAD: {
          if (queue.length === 0) return undefined;
          const head = this.#requests === undefined ? this.#response(this.#responses) : this.#request(this.#requests);
          return head && { type: "head", head };
        }
        case BODY_OF_LENGTH:
        case BODY_UNTIL_CLOSE: {
          if (queue.length === 0) return undefined;
          const data = queue.take(Math.min(queue.length, this.#left));
          this.#left -= data.length;
          if (this.#left === 0) this.#state = END;
          return { type: "data", data, chunk: 0, final: false };
        }
        case CHUNK_LINE: {
          const next = this.#chunks.scan(queue.bytes, queue.at);
          if (next === -1) return undefined;
          queue.skipTo(next);
          this.#left = this.#chunk = this.#chunks.size;
          this.#state = this.#left === 0 ? TRAILERS : CHUNK_DATA;
          break;
        }
        case CHUNK_DATA: {
          if (queue.length === 0) return undefined;
          const data = queue.take(Math.min(queue.length, this.#left));
          const chunk = this.#chunk;
          this.#chunk = 0;
          this.#left -= data.length;
          if (this.#left === 0) this.#state = CHUNK_END;
          return { type: "data", data, chunk, final: this.#left === 0 };
        }
        case CHUNK_END: {
          if (!this.#takeLineEnd()) return undefined;
          this.#state = CHUNK_LINE;
          break;
        }
        case TRAILERS: {
          const { bytes, at } = queue;
          // Nearly always there are none.
          if (bytes[at] === CR && bytes[at + 1] === LF) {
            queue.skipTo(at + 2);
            // The CR may have come alone, and the scanner may have seen it.
            this.#trailers?.reset();
            this.#state = END;
            break;
          }
          if (queue.length === 0) return undefined;
          this.#trailers ??= new TrailerScanner(this.#headBytes);
          const end = this.#trailers.scan(bytes, at);
          if (end === -1) return undefined;
          const trailers = this.#trailers.fields(bytes, at, end);
          this.#trailers.reset();
          queue.skipTo(end);
          this.#state = this.#after;
          return { type: "end", trailers };
        }
        case END:
          this.#state = this.#after;
          return PLAIN_END;
        default:
          return undefined;
      }
    }
  }

  #request(scanner: RequestScanner): RequestHead | undefined {
    const queue = this.#queue;
    while (queue.bytes[queue.at] === CR && this.#emptyLines < MAX_EMPTY_LINES) {
      if (queue.length === 1) return undefined;
      if (queue.bytes[queue.at + 1] !== LF) break;
      this.#emptyLines++;
      queue.skipTo(queue.at + 2);
      if (queue.length === 0) return undefined;
    }
    const end = scanner.scan(queue.bytes, queue.at);
    if (end === -1) return undefined;
    const head = scanner.head(queue.bytes, queue.at, end);
    queue.skipTo(end);
    scanner.reset();
    this.#emptyLines = 0;
    this.#enterBody(head);
    return head;
  }

  #response(scanner: ResponseScanner): ResponseHead | undefined {
    const queue = this.#queue;
    const end = scanner.scan(queue.bytes, queue.at);
    if (end === -1) return undefined;
    const method = this.#asked[0];
    const head = scanner.head(queue.bytes, queue.at, end, method);
    queue.skipTo(end);
    scanner.reset();
    const { status } = head;
    // An interim response leaves its request unanswered (RFC 9110 15.2); 101 is the last one there is.
    if (status >= 200 || status === 101) this.#asked.shift();
    if (status === 101 || (method === "CONNECT" && status >= 200 && status < 300)) this.#after = OVER;
    this.#enterBody(head);
    return head;
  }

  #enterBody(head: RequestHead | ResponseHead): void {
    const { framing } = head;
    switch (framing.kind) {
      case "none":
        this.#state = END;
        break;
      case "length":
        this.#left = framing.length;
        this.#state = framing.length === 0 ? END : BODY_OF_LENGTH;
        break;
      case "chunked":
        this.#chunks.reset();
        this.#state = CHUNK_LINE;
        break;
      case "close":
        this.#left = Infinity;
        this.#state = BODY_UNTIL_CLOSE;
    }
  }

  /** Takes the CRLF after a chunk; false: it is not here yet. */
  #takeLineEnd(): boolean {
    const { bytes, at, length } = this.#queue;
    if (length === 0) return false;
    if (bytes[at] !== CR || (length > 1 && bytes[at + 1] !== LF)) {
      throw new ProtocolError("HTTP_CHUNK", "A chunk is longer than its size: no CRLF follows its data (RFC 9112 7.1)");
    }
    if (length === 1) return false;
    this.#queue.skipTo(at + 2);
    return true;
  }
}
