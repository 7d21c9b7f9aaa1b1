/**
 * What a request and a response have in common: header fields, a body, trailers.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { BodyBuffer } from "./body_buffer.ts";
import { decodeContent } from "./content_coding.ts";
import { FlowtapeError } from "./error.ts";
import type { FlowHeaders } from "./headers.ts";
import { decodeText, essence } from "./media_type.ts";
import { parseMultipart } from "./multipart.ts";

/** The HTTP versions a message can have. */
export type HttpVersion = "1.0" | "1.1" | "2";

/** A body was read before all of it had arrived. The rule engine waits and asks again; a hook should not read it then. */
export class BodyIncompleteError extends FlowtapeError {
  /** The name of the class. */
  override readonly name: string = "BodyIncompleteError";

  /**
   * Makes an error with the code `BODY_INCOMPLETE`.
   *
   * @param what the message whose body was read, such as `request`
   */
  constructor(what: string) {
    super(
      "BODY_INCOMPLETE",
      `the ${what} body has not arrived yet: read it in the \`${what}\` hook or later, not in \`${what}Headers\``,
    );
  }
}

/** One HTTP message. */
export abstract class Message {
  /** The header fields as they came; edit them before they are sent. */
  headers: FlowHeaders;
  /** Trailer fields, once the body is complete (RFC 9110 section 6.5). */
  trailers?: FlowHeaders;
  /** The version the message was sent in. */
  httpVersion: HttpVersion;
  /**
   * Set it in `requestHeaders` or `responseHeaders` to pass the body on while it arrives although a hook would
   * wait for the whole. The hook then fires when the body has passed, and can no longer change it.
   */
  stream = false;
  /** The body as it is on the wire. The wire fills it; everybody else uses {@linkcode Message.body | body}. */
  content: BodyBuffer;

  #decoded: Uint8Array | undefined;
  #edited = false;

  /** For {@linkcode FlowRequest} and {@linkcode FlowResponse}. */
  constructor(httpVersion: HttpVersion, headers: FlowHeaders, content: BodyBuffer) {
    this.httpVersion = httpVersion;
    this.headers = headers;
    this.content = content;
  }

  /** `request` or `response`, for error messages. */
  protected abstract readonly what: string;

  /**
   * The body without its content coding. Setting it removes `content-encoding`; the wire takes care of the length.
   *
   * @throws {BodyIncompleteError} before the whole body has arrived
   * @throws {FlowtapeError} `BODY_ENCODING` when it cannot be decoded; `encodedBody` then still gives the bytes
   */
  get body(): Uint8Array {
    if (this.#decoded !== undefined) return this.#decoded;
    const encoded = this.encodedBody;
    const coding = this.headers.get("content-encoding");
    if (coding === null || this.content.truncated) return encoded;
    return this.#decoded = decodeContent(encoded, coding);
  }

  set body(value: Uint8Array | string) {
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    this.content = BodyBuffer.of(bytes);
    this.#decoded = undefined;
    this.#edited = true;
    this.headers.delete("content-encoding");
  }

  /** The body is another one than a client or server has sent. */
  protected replaceBody(): void {
    this.#edited = true;
  }

  /** The body with its content coding, as on the wire. */
  get encodedBody(): Uint8Array {
    if (!this.content.complete) throw new BodyIncompleteError(this.what);
    return this.content.bytes();
  }

  /** True once the body was set by somebody: the wire then computes the length anew. */
  get bodyEdited(): boolean {
    return this.#edited;
  }

  /** True when the body is longer than was kept (`capture.maxBody`). */
  get bodyTruncated(): boolean {
    return this.content.truncated;
  }

  /** The body as text, in the charset of its `content-type` (UTF-8 by default). */
  text(): string {
    return decodeText(this.body, this.headers.get("content-type"));
  }

  /** The body as JSON. Throws a `FlowtapeError` `BODY_JSON` when it is none. */
  json(): unknown {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new FlowtapeError("BODY_JSON", `the ${this.what} body is not JSON: ${why}`, { cause });
    }
  }

  /** The fields of a form: `URLSearchParams`, or `FormData` when it is multipart. */
  form(): URLSearchParams | FormData {
    const type = this.headers.get("content-type");
    if (essence(type) === "multipart/form-data") return parseMultipart(this.body, type!);
    return new URLSearchParams(this.text());
  }

  /** Cookies by name. */
  abstract get cookies(): Record<string, string>;
}
