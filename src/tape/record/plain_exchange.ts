/**
 * Exchanges of the common kind, encoded at once: a request, an answer, bodies that are not large, no times. What comes out is what
 * `encodeEntry` gives, written as JSON. Lines of header fields that were met before and hold nothing secret are not looked at again.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { MAX_INLINE_BYTES } from "../har.ts";
import type { HarPair } from "../har.ts";
import { cookiesOf, NO_PHASES, NO_TIMES, queryOf } from "../encode.ts";
import { bodyToText } from "../media.ts";
import type { ExchangeParts, MessageParts } from "../parts.ts";
import type { Redactor } from "../redact/redactor.ts";
import { isDated, settleDates } from "./dates.ts";
import type { EncodedExchange } from "./journal.ts";
import { keyWith, labelOf } from "./kept.ts";

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

/** The header fields of a message as they stand on the tape. */
interface PlainFields {
  readonly headers: string;
  readonly cookies: string;
  readonly location: string;
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

/** So many lines are remembered, twice. */
const MOST_LINES = 1000;
const LONGEST_LINE = 512;

/** Takes secrets out of header fields, and remembers lines in which there are none. */
class KnownLines {
  readonly #redactor: Redactor;
  #words = 0;
  // What is asked for moves from the older to the newer.
  #newer = new Map<string, string>();
  #older = new Map<string, string>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** @param words another number: what was known counts no longer */
  begin(words: number): void {
    if (words === this.#words) return;
    this.#words = words;
    this.#newer.clear();
    this.#older.clear();
  }

  request({ headers }: MessageParts): PlainFields {
    const cookies: HarPair[] = [];
    const text = this.#each(headers.fields, (name, value) => {
      if (name.toLowerCase() === "cookie") cookies.push(...cookiesOf(value.split(";")));
      return undefined;
    });
    return { headers: text, cookies: pairsJson(cookies), location: "" };
  }

  response({ headers }: MessageParts): PlainFields {
    const dated: HarPair[] = [];
    const cookies: HarPair[] = [];
    let location: string | undefined;
    let text = this.#each(headers.fields, (name, value) => {
      const lower = name.toLowerCase();
      if (lower === "location") location ??= value;
      if (!isDated(lower)) return undefined;
      if (lower === "set-cookie") cookies.push(...cookiesOf([value.split(";", 1)[0]!]));
      dated.push({ name, value });
      return dated.length - 1;
    });
    if (dated.length > 0) {
      settleDates(dated);
      // In the places that were left for them.
      text = text.replace(PLACES, (_, i: string) => JSON.stringify(dated[Number(i)]));
    }
    return { headers: text, cookies: pairsJson(cookies), location: location ?? "" };
  }

  /**
   * The fields as members of an array.
   *
   * @param visit gets those that may matter as they are written; a number leaves a place for what is written later
   */
  #each(fields: string, visit: Visit): string {
    let text = "";
    for (let at = 0; at < fields.length;) {
      const end = fields.indexOf("\r\n", at);
      const line = fields.slice(at, end);
      const known = this.#newer.get(line) ?? this.#found(line);
      const json = known === undefined ? this.#redacted(line, visit) : known === VISITED ? visited(line, visit) : known;
      text += text === "" ? json : `,${json}`;
      at = end + 2;
    }
    return text;
  }

  #found(line: string): string | undefined {
    const known = this.#older.get(line);
    if (known !== undefined) this.#keep(line, known);
    return known;
  }

  #redacted(line: string, visit: Visit): string {
    const [name, value] = pairOf(line);
    const clean = this.#redactor.header(name, value);
    const known = mayMatter(name) ? VISITED : pairJson(name, clean);
    if (clean === value && line.length <= LONGEST_LINE) this.#keep(line, known);
    return known === VISITED ? pairOrPlace(name, clean, visit) : known;
  }

  #keep(line: string, json: string): void {
    if (this.#newer.size >= MOST_LINES) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(line, json);
  }
}

type Visit = (name: string, value: string) => number | undefined;

/** In the place of what is written: it is known that there is no secret, and that is all. */
const VISITED = "";

function visited(line: string, visit: Visit): string {
  return pairOrPlace(...pairOf(line), visit);
}

function pairOrPlace(name: string, value: string, visit: Visit): string {
  const place = visit(name, value);
  return place === undefined ? pairJson(name, value) : `\n${place}\n`;
}

function pairOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** There is no line break in JSON that is written so. */
const PLACES = /\n(\d+)\n/g;

function mayMatter(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === "cookie" || lower === "location" || isDated(lower);
}

function pairJson(name: string, value: string): string {
  return `{"name":${quoted(name)},"value":${quoted(value)}}`;
}

function pairsJson(pairs: readonly HarPair[]): string {
  return pairs.length === 0 ? "[]" : JSON.stringify(pairs);
}
