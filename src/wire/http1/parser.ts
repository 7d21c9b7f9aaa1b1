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
import { BodyReader, PLAIN_END } from "./body_reader.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { Http1Event } from "./event.ts";
import type { RequestHead, ResponseHead } from "./head.ts";
import { CR, LF } from "./octets.ts";
import { ProtocolError } from "./protocol_error.ts";
import { RequestScanner } from "./request_scanner.ts";
import { ResponseScanner } from "./response_scanner.ts";

export type { DataEvent, EndEvent, HeadEvent, Http1Event } from "./event.ts";

/** Limits of a parser. */
export interface Http1ParserOptions {
  /** How many bytes a head may have, start line included; trailers may have as many. Default: 65536. */
  readonly headBytes?: number;
}

const HEAD = 0;
const BODY = 1;
/** HTTP is over on this connection: after a message that closes it, after 101, after a tunnel was opened. */
const OVER = 2;

const DEFAULT_HEAD_BYTES = 65536;
/** Empty lines before a request line: RFC 9112 2.2 wants at least one to be ignored; some clients send one after a POST body. */
const MAX_EMPTY_LINES = 8;

/**
 * Reads the messages of one direction of one connection. Strict: a message that two parsers could read differently is refused with
 * a {@link ProtocolError}, always the same however the bytes were split, and again at every further call.
 */
export class Http1Parser {
  readonly #queue: ByteQueue = new ByteQueue();
  readonly #scanner: RequestScanner | ResponseScanner;
  readonly #body: BodyReader;
  readonly #asked: string[] = [];
  #state = HEAD;
  /** Where `#state` goes after the end of the message. */
  #after = HEAD;
  #emptyLines = 0;
  #failure: ProtocolError | undefined;

  /**
   * Makes a parser that is between messages.
   *
   * @param kind what arrives: the requests of a client, or the responses of a server
   * @param options limits
   */
  constructor(kind: "request" | "response", options: Http1ParserOptions = {}) {
    const headBytes = options.headBytes ?? DEFAULT_HEAD_BYTES;
    this.#scanner = kind === "request" ? new RequestScanner(headBytes) : new ResponseScanner(headBytes);
    this.#body = new BodyReader(headBytes);
  }

  /** Takes bytes. They are not copied as a rule, so the caller must not write over them afterwards. */
  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  /**
   * The next event, or `undefined`: more bytes are needed. After an "end" event the next message is read, except where HTTP is over:
   * after a message that is not `keepAlive` (RFC 9112 9.6: what follows it must not be processed), after 101, and after a 2xx
   * answer to CONNECT. A parser of requests cannot know the answer: after a CONNECT or an upgrade, ask for the next event only when
   * it was refused.
   *
   * @throws {ProtocolError} the message is refused
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
   * The peer closed its side. Call it until it returns `undefined`: first come the events of bytes still here, then the "end" of a
   * body that ends with the connection.
   *
   * @throws {ProtocolError} `HTTP_TRUNCATED` in the middle of a message
   */
  finish(): Http1Event | undefined {
    const event = this.next();
    if (event !== undefined) return event;
    if (this.#state === OVER || this.idle) return undefined;
    if (this.#state === BODY && this.#body.isUntilClose) {
      this.#state = OVER;
      return PLAIN_END;
    }
    const missing = this.#state === BODY ? this.#body.missing() : "";
    this.#failure = new ProtocolError(
      "HTTP_TRUNCATED",
      `The connection was closed in the middle of a message${missing} (RFC 9112 8)`,
    );
    throw this.#failure;
  }

  /** Takes the bytes that were not consumed, after a CONNECT or an upgrade. */
  rest(): Buffer {
    return this.#queue.take(this.#queue.length);
  }

  /** Whether the parser is between messages, ready for the next one, and holds no bytes. */
  get idle(): boolean {
    return this.#state === HEAD && this.#queue.length === 0;
  }

  /** How many bytes have not been consumed. */
  get buffered(): number {
    return this.#queue.length;
  }

  #step(): Http1Event | undefined {
    if (this.#state === HEAD) {
      if (this.#queue.length === 0) return undefined;
      const head = this.#scanner instanceof RequestScanner
        ? this.#request(this.#scanner)
        : this.#response(this.#scanner);
      if (head === undefined) return undefined;
      this.#body.start(head.framing);
      this.#state = BODY;
      return { type: "head", head };
    }
    if (this.#state === OVER) return undefined;
    const event = this.#body.next(this.#queue);
    if (event !== undefined && event.type === "end") this.#state = this.#after;
    return event;
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
    if (!head.keepAlive) this.#after = OVER;
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
    // An interim response leaves its request unanswered and the connection open (RFC 9110 15.2); 101 is the last one there is.
    if (status >= 200 || status === 101) {
      this.#asked.shift();
      const tunnel = status === 101 || (method === "CONNECT" && status < 300);
      if (tunnel || !head.keepAlive) this.#after = OVER;
    }
    return head;
  }
}
