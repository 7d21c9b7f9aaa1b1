/**
 * Reads a HAR document in one pass over its bytes. Nearly all entries of a tape are plain: of these it keeps what replay needs without
 * making objects of them. What is not plain, or not as it should be, is left to the parser, which knows everything and says what is
 * wrong: the scanner only ever says that it does not know.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { HttpVersion } from "../../flow/message.ts";
import type { StoredEntry } from "../entry.ts";
import { LineTable } from "./line_table.ts";
import { BASE64, FILE, NO_BODY, PlainEntries, type PlainEntry, type PlainMessage, TEXT } from "./plain_entries.ts";

/** What becomes of what the scanner finds. */
export interface ScanOptions {
  /** The field lines that a header makes; `undefined`: it makes none. */
  line(name: string, value: string): string | undefined;
  /** Whether this is a URL that an entry can have. */
  isUrl(url: string): boolean;
}

/** A document that was scanned. */
export interface Scanned {
  /** The members of `log` besides the entries, as JSON, by name. */
  readonly rest: ReadonlyMap<string, string>;
  /** Each entry: what it is when it is plain, and where it stands. */
  readonly entries: readonly (StoredEntry | undefined)[];
  /** The names of the body files that a plain entry has; of those that have some. */
  readonly files: ReadonlyMap<number, readonly string[]>;
  /** Where each entry begins and ends, in pairs. */
  readonly places: readonly number[];
}

/** Scans a document; `undefined` when it is not what it should be, or not UTF-8. */
export function scanHar(bytes: Uint8Array, options: ScanOptions): Scanned | undefined {
  try {
    return new HarScanner(bytes, options).scan();
  } catch (error) {
    if (error instanceof Unknown) return undefined;
    throw error;
  }
}

/** It is not JSON, or not a HAR document. */
class Unknown extends Error {}

const QUOTE = 0x22,
  BACKSLASH = 0x5c,
  OPEN = 0x7b,
  CLOSE = 0x7d,
  OPEN_LIST = 0x5b,
  CLOSE_LIST = 0x5d,
  COMMA = 0x2c,
  COLON = 0x3a;

/** Where a member stands, and what the elements of a list are. */
const ANYWHERE = 0,
  IN_ROOT = 1,
  IN_LOG = 2,
  IN_ENTRY = 3,
  IN_REQUEST = 4,
  IN_RESPONSE = 5,
  IN_POST_DATA = 6,
  IN_CONTENT = 7,
  IN_TIMINGS = 8;
const ANYTHING = 0, ENTRIES = 1, HEADERS = 2;

/** Deeper than this nothing is that could be of use. */
const MAX_DEPTH = 200;

class HarScanner {
  readonly #buffer: Buffer;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  // Up to here four bytes can be read at once.
  readonly #last: number;
  readonly #options: ScanOptions;
  readonly #table: LineTable;
  readonly #plain: PlainEntries;
  readonly #texts = new Map<number, string>();
  #at = 0;
  // Of the string that was scanned last: where it begins and ends between its quotes, its hash, and whether it is plain ASCII.
  #from = 0;
  #to = 0;
  #hash = 0;
  #ascii = true;
  // No escape but for quotes and slashes: what it stands for is ASCII if it is.
  #simple = true;

  readonly #rest = new Map<string, string>();
  readonly #entries: (StoredEntry | undefined)[] = [];
  readonly #names = new Map<number, readonly string[]>();
  readonly #places: number[] = [];
  #logs = 0;
  #lists = 0;

  // Of the entry that is being scanned.
  #isPlain = true;
  #numbers = new Uint32Array(256);
  #count = 0;
  readonly #entry: PlainEntry = {
    method: "",
    url: "",
    status: 0,
    reason: "",
    wait: 0,
    request: message(),
    response: message(),
  };

  constructor(bytes: Uint8Array, options: ScanOptions) {
    this.#bytes = bytes;
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#last = bytes.length - 3;
    this.#options = options;
    this.#table = new LineTable(this.#buffer, options);
    this.#plain = new PlainEntries(this.#table, bytes.length);
  }

  scan(): Scanned {
    // A byte order mark is for the parser.
    if (this.#bytes[0] === 0xef) this.#fail();
    this.#space();
    this.#members(IN_ROOT, 0);
    this.#space();
    if (this.#at !== this.#bytes.length || this.#logs !== 1 || this.#lists !== 1) this.#fail();
    this.#table.settle();
    this.#plain.settle();
    return { rest: this.#rest, entries: this.#entries, files: this.#names, places: this.#places };
  }

  #rootMember(): void {
    if (!this.#isKey("log")) return this.#skip(0);
    this.#logs++;
    this.#members(IN_LOG, 0);
  }

  #logMember(): void {
    const key = this.#text();
    const start = this.#at;
    if (key === "entries" && this.#bytes[start] === OPEN_LIST) {
      this.#lists++;
      this.#elements(ENTRIES, 0);
    } else {
      this.#skip(0);
      this.#rest.set(key, this.#buffer.toString("utf8", start, this.#at));
    }
  }

  #nextEntry(): void {
    const start = this.#at;
    const plain = this.#scanEntry();
    if (plain && (this.#entry.request.form === FILE || this.#entry.response.form === FILE)) {
      this.#names.set(this.#entries.length, this.#files());
    }
    this.#entries.push(plain ? this.#plain.add(this.#entry, this.#buffer, this.#numbers) : undefined);
    this.#places.push(start, this.#at);
  }

  /** Whether the entry is plain; it has been read to its end in any case. */
  #scanEntry(): boolean {
    const entry = this.#entry;
    this.#isPlain = true;
    this.#count = 0;
    entry.method = entry.url = entry.reason = "";
    entry.status = -1;
    entry.wait = 0;
    clear(entry.request);
    clear(entry.response);
    if (this.#bytes[this.#at] !== OPEN) {
      this.#skip(0);
      return false;
    }
    this.#members(IN_ENTRY, 0);
    const { method, url, status, request, response } = entry;
    return this.#isPlain && method !== "" && url !== "" && status >= 200 && request.lastLine >= 0 &&
      response.lastLine >= 0 &&
      response.form >= 0;
  }

  #entryMember(): void {
    switch (this.#bytes[this.#from]) {
      case 0x72: // r
        if (this.#isKey("request")) return this.#object(IN_REQUEST);
        if (this.#isKey("response")) return this.#object(IN_RESPONSE);
        break;
      case 0x74: // t
        if (this.#isKey("timings")) return this.#object(IN_TIMINGS);
        break;
      case 0x63: // c
        if (this.#isKey("comment")) this.#isPlain = false;
        break;
      case 0x5f: // _
      case BACKSLASH:
        this.#isPlain = false;
    }
    this.#skip(0);
  }

  #requestMember(): void {
    const { request } = this.#entry;
    switch (this.#bytes[this.#from]) {
      case 0x6d: // m
        if (!this.#isKey("method")) break;
        this.#entry.method = this.#word();
        if (!METHOD.test(this.#entry.method)) this.#isPlain = false;
        return;
      case 0x75: // u
        if (!this.#isKey("url")) break;
        this.#entry.url = this.#url();
        return;
      case 0x68: // h
        if (this.#isKey("headers")) return this.#headers(request);
        if (!this.#isKey("httpVersion")) break;
        request.version = this.#version();
        return;
      case 0x70: // p
        if (!this.#isKey("postData")) break;
        request.form = NO_BODY;
        return this.#object(IN_POST_DATA);
      case 0x5f: // _
      case BACKSLASH:
        this.#isPlain = false;
    }
    this.#skip(0);
  }

  #responseMember(): void {
    const { response } = this.#entry;
    switch (this.#bytes[this.#from]) {
      case 0x73: // s
        if (this.#isKey("statusText")) {
          this.#entry.reason = this.#word();
          return;
        }
        if (!this.#isKey("status")) break;
        this.#entry.status = this.#status();
        return;
      case 0x68: // h
        if (this.#isKey("headers")) return this.#headers(response);
        if (!this.#isKey("httpVersion")) break;
        response.version = this.#version();
        return;
      case 0x63: // c
        if (!this.#isKey("content")) break;
        response.form = NO_BODY;
        return this.#object(IN_CONTENT);
      case 0x5f: // _
      case BACKSLASH:
        this.#isPlain = false;
    }
    this.#skip(0);
  }

  #bodyMember(message: PlainMessage): void {
    switch (this.#bytes[this.#from]) {
      case 0x74: // t
        if (this.#isKey("text")) return this.#body(message, TEXT);
        break;
      case 0x5f: // _
        if (this.#isKey("_file")) return this.#body(message, FILE);
        if (this.#isKey("_encoding")) return this.#encoding(message);
        this.#isPlain = false;
        break;
      case 0x65: // e
        if (this.#isKey("encoding")) return this.#encoding(message);
        break;
      case 0x70: // p
      case BACKSLASH:
        this.#isPlain = false;
    }
    this.#skip(0);
  }

  #body(message: PlainMessage, form: number): void {
    if (!this.#string()) return this.#odd();
    // A file goes before a text, and base64 must be known to be some: both are for the parser.
    if (message.form !== NO_BODY) this.#isPlain = false;
    if (form === FILE && !isFileName(this.#buffer, this.#from, this.#to)) this.#isPlain = false;
    message.form = this.#to > this.#from ? form : NO_BODY;
    if (form === FILE && message.form === NO_BODY) this.#isPlain = false;
    message.bodyStart = this.#from;
    message.bodyEnd = this.#to;
  }

  #encoding(message: PlainMessage): void {
    if (!this.#string()) return this.#odd();
    if (this.#buffer.toString("latin1", this.#from, this.#to) !== "base64" || message.form !== TEXT) {
      this.#isPlain = false;
      return;
    }
    if (!isBase64(this.#bytes, message.bodyStart, message.bodyEnd)) this.#isPlain = false;
    message.form = BASE64;
  }

  #files(): string[] {
    const names: string[] = [];
    for (const { form, bodyStart, bodyEnd } of [this.#entry.request, this.#entry.response]) {
      if (form === FILE) names.push(this.#buffer.toString("latin1", bodyStart, bodyEnd));
    }
    return names;
  }

  #headers(message: PlainMessage): void {
    message.firstLine = this.#count;
    if (this.#bytes[this.#at] !== OPEN_LIST) return this.#odd();
    this.#elements(HEADERS, 0);
    message.lastLine = this.#count;
  }

  /** `{ "name": "...", "value": "..." }`, with any spaces. */
  #header(): void {
    const bytes = this.#bytes;
    const start = this.#at;
    if (bytes[start] !== OPEN) return this.#odd();
    this.#at++;
    this.#space();
    if (!this.#string() || !this.#isKey("name")) return this.#again(start);
    this.#colon();
    if (!this.#string()) return this.#again(start);
    const nameFrom = this.#from, nameTo = this.#to, nameHash = this.#hash, ascii = this.#ascii;
    this.#space();
    if (bytes[this.#at] !== COMMA) return this.#again(start);
    this.#at++;
    this.#space();
    if (!this.#string() || !this.#isKey("value")) return this.#again(start);
    this.#colon();
    if (!this.#string()) return this.#again(start);
    this.#space();
    if (bytes[this.#at] !== CLOSE) return this.#again(start);
    this.#at++;
    const line = this.#table.at(nameFrom, nameTo, nameHash, this.#from, this.#to, this.#hash, ascii && this.#simple);
    if (line < 0) this.#isPlain = false;
    if (this.#count === this.#numbers.length) {
      const more = new Uint32Array(2 * this.#count);
      more.set(this.#numbers);
      this.#numbers = more;
    }
    this.#numbers[this.#count++] = line;
  }

  /** A value that is not plain, from its beginning. */
  #again(start: number): void {
    this.#at = start;
    this.#odd();
  }

  #odd(): void {
    this.#isPlain = false;
    this.#skip(0);
  }

  #timing(): void {
    const isWait = this.#isKey("wait");
    const start = this.#at;
    this.#skip(0);
    if (!isWait) return;
    const wait = Number(this.#buffer.toString("latin1", start, this.#at));
    if (wait > 0) this.#entry.wait = wait;
  }

  #status(): number {
    const start = this.#at;
    this.#skip(0);
    const a = this.#bytes[start]!, b = this.#bytes[start + 1]!, c = this.#bytes[start + 2]!;
    return this.#at - start === 3 && a >= 0x32 && a <= 0x39 ? (a - 0x30) * 100 + (b - 0x30) * 10 + (c - 0x30) : -1;
  }

  #version(): HttpVersion {
    switch (this.#word()) {
      case "HTTP/1.1":
        return "1.1";
      case "HTTP/1.0":
        return "1.0";
      case "HTTP/2":
        return "2";
      default:
        this.#isPlain = false;
        return "1.1";
    }
  }

  /** A short string of which there are few. */
  #word(): string {
    if (!this.#string() || !this.#ascii) {
      this.#odd();
      return "";
    }
    const known = this.#texts.get(this.#hash);
    if (known !== undefined && this.#isKey(known)) return known;
    const text = this.#buffer.toString("latin1", this.#from, this.#to);
    if (!/^[\x20-\x7e]*$/.test(text)) this.#isPlain = false;
    if (this.#texts.size < 1000) this.#texts.set(this.#hash, text);
    return text;
  }

  #url(): string {
    if (!this.#string()) {
      this.#odd();
      return "";
    }
    const url = this.#ascii
      ? this.#buffer.toString("latin1", this.#from, this.#to)
      : JSON.parse(this.#buffer.toString("utf8", this.#from - 1, this.#to + 1)) as string;
    if (!this.#options.isUrl(url)) this.#isPlain = false;
    return url;
  }

  // JSON.

  /** An object. What becomes of its members depends on where they are. */
  #members(where: number, depth: number): void {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== OPEN) this.#fail();
    this.#at++;
    this.#space();
    if (bytes[this.#at] === CLOSE) {
      this.#at++;
      return;
    }
    for (;;) {
      if (!this.#string()) this.#fail();
      this.#colon();
      this.#member(where, depth);
      this.#space();
      const next = bytes[this.#at++];
      if (next === CLOSE) return;
      if (next !== COMMA) this.#fail();
      this.#space();
    }
  }

  #member(where: number, depth: number): void {
    switch (where) {
      case IN_REQUEST:
        return this.#requestMember();
      case IN_RESPONSE:
        return this.#responseMember();
      case IN_ENTRY:
        return this.#entryMember();
      case IN_CONTENT:
        return this.#bodyMember(this.#entry.response);
      case IN_POST_DATA:
        return this.#bodyMember(this.#entry.request);
      case IN_TIMINGS:
        return this.#timing();
      case IN_LOG:
        return this.#logMember();
      case IN_ROOT:
        return this.#rootMember();
      default:
        return this.#skip(depth);
    }
  }

  #object(where: number): void {
    if (this.#bytes[this.#at] === OPEN) this.#members(where, 0);
    else this.#odd();
  }

  #elements(what: number, depth: number): void {
    const bytes = this.#bytes;
    this.#at++;
    this.#space();
    if (bytes[this.#at] === CLOSE_LIST) {
      this.#at++;
      return;
    }
    for (;;) {
      if (what === HEADERS) this.#header();
      else if (what === ENTRIES) this.#nextEntry();
      else this.#skip(depth);
      this.#space();
      const next = bytes[this.#at++];
      if (next === CLOSE_LIST) return;
      if (next !== COMMA) this.#fail();
      this.#space();
    }
  }

  /** Any value. */
  #skip(depth: number): void {
    const bytes = this.#bytes;
    switch (bytes[this.#at]) {
      case QUOTE:
        this.#string();
        return;
      case OPEN:
        if (depth === MAX_DEPTH) this.#fail();
        return this.#members(ANYWHERE, depth + 1);
      case OPEN_LIST:
        if (depth === MAX_DEPTH) this.#fail();
        return this.#elements(ANYTHING, depth + 1);
    }
    const start = this.#at;
    let at = start;
    let digits = true;
    for (
      let byte: number;
      (byte = bytes[at]!) > 0x20 && byte !== COMMA && byte !== CLOSE && byte !== CLOSE_LIST;
      at++
    ) {
      if (byte < 0x30 || byte > 0x39) digits &&= at === start && byte === 0x2d;
    }
    this.#at = at;
    // Nearly all of them are whole numbers.
    const first = bytes[start] === 0x2d ? start + 1 : start;
    if (digits && at > first && (at === first + 1 || bytes[first] !== 0x30)) return;
    if (at === start || !SIMPLE.test(this.#buffer.toString("latin1", start, Math.min(at, start + 400)))) this.#fail();
  }

  #space(): void {
    // Nothing is in most places, and one space in most of the others.
    if (this.#bytes[this.#at]! > 0x20) return;
    if (this.#bytes[this.#at] === 0x20 && this.#bytes[this.#at + 1]! > 0x20) this.#at++;
    else this.#spaces();
  }

  #spaces(): void {
    const bytes = this.#bytes;
    const view = this.#view;
    const last = this.#last;
    let at = this.#at;
    for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;) {
      byte = bytes[++at];
      while (at < last && view.getInt32(at, true) === 0x20202020) at += 4;
      byte = bytes[at];
    }
    this.#at = at;
  }

  #colon(): void {
    this.#space();
    if (this.#bytes[this.#at] !== COLON) this.#fail();
    this.#at++;
    this.#space();
  }

  /** A string, if there is one. */
  #string(): boolean {
    const bytes = this.#bytes;
    const view = this.#view;
    const last = this.#last;
    let at = this.#at;
    if (bytes[at] !== QUOTE) return false;
    const from = ++at;
    let hash = 0;
    let all = 0;
    let escapes = false;
    let simple = true;
    for (;;) {
      // Four at a time, as long as none is a quote, a backslash or a control character.
      while (at < last) {
        const four = view.getInt32(at, true);
        const quote = four ^ 0x22222222;
        const slash = four ^ 0x5c5c5c5c;
        const special = ((quote - 0x01010101) & ~quote) | ((slash - 0x01010101) & ~slash) |
          ((four - 0x20202020) & ~four);
        if ((special & 0x80808080) !== 0) break;
        hash = Math.imul(hash ^ four, 0x01000193) ^ (hash >>> 17);
        all |= four;
        at += 4;
      }
      const byte = bytes[at]!;
      if (byte === QUOTE) break;
      // Also behind the end, where there is no byte.
      if (!(byte >= 0x20)) this.#fail();
      hash = Math.imul(hash ^ byte, 0x01000193);
      all |= byte;
      at++;
      if (byte !== BACKSLASH) continue;
      escapes = true;
      const escaped = bytes[at++]!;
      hash = Math.imul(hash ^ escaped, 0x01000193);
      if (escaped === QUOTE || escaped === BACKSLASH || escaped === 0x2f) continue;
      simple = false;
      if (escaped === 0x75) {
        for (let i = 0; i < 4; i++) if (!isHex(bytes[at++]!)) this.#fail();
      } else if (!isEscaped(escaped)) {
        this.#fail();
      }
    }
    this.#from = from;
    this.#to = at;
    this.#at = at + 1;
    this.#hash = hash ^ at - from;
    this.#simple = (all & 0x80808080) === 0 && simple;
    this.#ascii = this.#simple && !escapes;
    return true;
  }

  /** Whether the string that was scanned last is this. */
  #isKey(key: string): boolean {
    const from = this.#from;
    if (this.#to - from !== key.length) return false;
    for (let i = 0; i < key.length; i++) if (this.#bytes[from + i] !== key.charCodeAt(i)) return false;
    return true;
  }

  #text(): string {
    return JSON.parse(this.#buffer.toString("utf8", this.#from - 1, this.#to + 1)) as string;
  }

  #fail(): never {
    throw new Unknown();
  }
}

/** What stands for a control character. */
function isEscaped(byte: number): boolean {
  switch (byte) {
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return true;
  }
  return false;
}

const METHOD = /^[A-Z]+$/;
const SIMPLE = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

function isHex(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39 || (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66;
}

/** As {@linkcode scanHar} takes it: the parser decides about all others. */
function isFileName(buffer: Buffer, from: number, to: number): boolean {
  return /^[\w-][\w.-]*$/.test(buffer.toString("latin1", from, to));
}

function isBase64(bytes: Uint8Array, from: number, to: number): boolean {
  while (to > from && bytes[to - 1] === 0x3d) to--;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    const isWord = byte >= 0x30 && byte <= 0x39 || (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
    if (!isWord && byte !== 0x2b && byte !== 0x2f) return false;
  }
  return true;
}

function message(): PlainMessage {
  return { version: "1.1", firstLine: 0, lastLine: -1, form: -1, bodyStart: 0, bodyEnd: 0 };
}

function clear(message: PlainMessage): void {
  message.version = "1.1";
  message.firstLine = 0;
  message.lastLine = -1;
  message.form = -1;
  message.bodyStart = message.bodyEnd = 0;
}
