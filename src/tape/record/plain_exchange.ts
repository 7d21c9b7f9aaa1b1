/**
 * Exchanges of the common kind, encoded at once: a request, an answer, bodies that are not large, no times. What comes out is what
 * `encodeEntry` gives, written as JSON. Lines of header fields that were met before and hold nothing secret are not looked at again.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { MAX_INLINE_BYTES } from "../har.ts";
import { NO_PHASES, NO_TIMES, queryOf } from "../encode.ts";
import { bodyToText } from "../media.ts";
import type { ExchangeParts, MessageParts } from "../parts.ts";
import type { Redactor } from "../redact/redactor.ts";
import type { EncodedExchange } from "./journal.ts";
import { keyWith, labelOf } from "./kept.ts";
import { KnownLines } from "./known_lines.ts";

/** How they are encoded. */
export interface PlainOptions {
  readonly redactor: Redactor;
  /** Puts a body into a file and gives its name; `undefined`: that cannot be done without waiting. */
  keepBody(bytes: Uint8Array, contentType: string | null): string | undefined;
  /** How many words are secrets wherever they stand: what held none of them may hold the next one. */
  words?(): number;
}

/** Encodes exchanges. */
export class PlainExchanges {
  readonly #with: PlainOptions;
  readonly #lines: KnownLines;

  constructor(options: PlainOptions) {
    this.#with = options;
    this.#lines = new KnownLines(options.redactor);
  }

  /**
   * Encodes one; `undefined`: it is not of this kind.
   *
   * @throws {SecretLeftError} it would hold what looks like a secret
   */
  encode(exchange: ExchangeParts): EncodedExchange | undefined {
    const { method, url, request, response, status, reason } = exchange;
    if (!isPlain(exchange) || !isPlainMessage(request) || response === undefined || !isPlainMessage(response)) {
      return undefined;
    }
    this.#lines.begin(this.#with.words?.() ?? 0);
    // Secrets are numbered in the order in which they are met: as in encodeEntry.
    const sent = this.#lines.request(request);
    const cleanUrl = this.#with.redactor.url(url);
    const asked = this.#body(request);
    if (asked === undefined) return undefined;
    const got = this.#lines.response(response);
    const answered = this.#body(response);
    if (answered === undefined) return undefined;

    const mark = cleanUrl.indexOf("?");
    const query = mark < 0 ? "[]" : JSON.stringify(queryOf(cleanUrl.slice(mark + 1)));
    const size = request.body.length;
    const post = size === 0 ? "" : `,"postData":{${asked.json}${asked.base64 ? ',"_encoding":"base64"' : ""}}`;
    const coding = answered.base64 ? ',"encoding":"base64"' : "";
    const json = `{${TIMES},"request":{"method":${quoted(method)},"url":${quoted(cleanUrl)},` +
      `"httpVersion":"HTTP/${request.httpVersion}","cookies":${sent.cookies},"headers":[${sent.headers}],` +
      `"queryString":${query}${post},"headersSize":-1,"bodySize":${sizeOf(request)}},` +
      `"response":{"status":${status},"statusText":${quoted(reason)},"httpVersion":"HTTP/${response.httpVersion}",` +
      `"cookies":${got.cookies},"headers":[${got.headers}],` +
      `"content":{"size":${response.body.length},${answered.json}${coding}},"redirectURL":${quoted(got.location)},` +
      `"headersSize":-1,"bodySize":${sizeOf(response)}},"cache":{},${PHASES}}`;
    const asRecorded = { method, url: cleanUrl };
    return { label: labelOf(asRecorded), key: keyWith(asRecorded, asked.value), json, bytes: Buffer.byteLength(json) };
  }

  #body({ body, headers }: MessageParts): PlainBody | undefined {
    const mimeType = headers.get("content-type") ?? "";
    const mime = `"mimeType":${quoted(mimeType)}`;
    if (body.length === 0) return { json: mime, base64: false, value: "" };
    const { redactor, keepBody } = this.#with;
    const bytes = redactor.bodyInTurns(body, mimeType);
    if (bytes instanceof Promise) {
      // It is done once more, with all the time that it takes.
      bytes.catch(() => {});
      return undefined;
    }
    // Lengths on the tape are those without secrets: few have any, and for those all of it is done once more.
    if (bytes.length !== body.length) return undefined;
    if (bytes.length > MAX_INLINE_BYTES) {
      const file = keepBody(bytes, mimeType);
      return file === undefined ? undefined : { json: `${mime},"_file":${quoted(file)}`, base64: false, value: file };
    }
    const text = bodyToText(bytes, mimeType);
    const value = text ?? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
    return { json: `${mime},"text":${quoted(value)}`, base64: text === undefined, value };
  }
}

/** A body as it stands on the tape. */
interface PlainBody {
  readonly json: string;
  readonly base64: boolean;
  /** What a request is told apart by. */
  readonly value: string;
}

/** Larger bodies take their time. */
const MOST_BYTES = 64 * 1024;

function isPlain({ failure, comment, informational, conversation }: ExchangeParts): boolean {
  return failure === undefined && comment === undefined && conversation === undefined && !informational?.length;
}

function isPlainMessage({ trailers, stream, encoded, body }: MessageParts): boolean {
  return trailers === undefined && stream === undefined && !encoded && body.length <= MOST_BYTES;
}

function sizeOf({ body, headers }: MessageParts): number {
  return headers.has("content-encoding") ? -1 : body.length;
}

const quoted = JSON.stringify as (text: string) => string;
/** Without the brackets. */
const TIMES = JSON.stringify(NO_TIMES).slice(1, -1);
const PHASES = JSON.stringify({ timings: NO_PHASES }).slice(1, -1);
