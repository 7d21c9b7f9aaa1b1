/**
 * Many entries in little memory: numbers in columns, field lines that all share, and bodies as they stand in the file. An entry is put
 * together when somebody looks at it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { FlowError } from "../../flow/flow_error.ts";
import type { HttpVersion } from "../../flow/message.ts";
import type { StoredBody, StoredEntry, StoredMessage } from "../entry.ts";
import type { LineTable } from "./line_table.ts";

/** How a body stands in the file. */
export const NO_BODY = 0, TEXT = 1, BASE64 = 2, FILE = 3;

/** What was found of one message. */
export interface PlainMessage {
  version: HttpVersion;
  /** The numbers of its lines: from here to there among all that were found. */
  firstLine: number;
  lastLine: number;
  form: number;
  /** The body, or the name of its file, between its quotes. */
  bodyStart: number;
  bodyEnd: number;
}

/** What was found of one entry. */
export interface PlainEntry {
  method: string;
  url: string;
  status: number;
  reason: string;
  wait: number;
  request: PlainMessage;
  response: PlainMessage;
}

const COLUMNS = 9;
const BLOCK = 1 << 20;
const VERSIONS: readonly HttpVersion[] = ["1.0", "1.1", "2"];

/** The entries of a tape. */
export class PlainEntries {
  readonly #urls: string[] = [];
  // Method, reason and both versions are few.
  readonly #kinds: { method: string; reason: string; request: HttpVersion; response: HttpVersion }[] = [];
  readonly #kindNumbers = new Map<string, number>();
  readonly #waits = new Map<number, number>();
  readonly #lines: LineTable;
  #columns: Uint32Array<ArrayBuffer>;
  #numbers: Uint32Array<ArrayBuffer>;
  #used = 0;
  // Bodies, one behind the other.
  readonly #blocks: Buffer[] = [];
  #room = 0;

  /**
   * @param lines all field lines, by number
   * @param size how many bytes the file has
   */
  constructor(lines: LineTable, size: number) {
    this.#lines = lines;
    // Usual entries have about three kilobytes, and twenty lines.
    this.#columns = new Uint32Array(COLUMNS * Math.ceil(size / 2048 + 16));
    this.#numbers = new Uint32Array(Math.ceil(size / 100 + 64));
  }

  /** No more entries come. */
  settle(): void {
    this.#columns = this.#columns.slice(0, COLUMNS * this.#urls.length);
    this.#numbers = this.#numbers.slice(0, this.#used);
  }

  /**
   * Takes an entry.
   *
   * @param bytes the file
   * @param numbers the lines that the entry has
   */
  add(entry: PlainEntry, bytes: Buffer, numbers: Uint32Array): StoredEntry {
    const number = this.#urls.push(entry.url) - 1;
    if (COLUMNS * (number + 1) > this.#columns.length) this.#columns = grown(this.#columns);
    const columns = this.#columns;
    const at = COLUMNS * number;
    const { request, response } = entry;
    columns[at] = this.#kindOf(entry);
    columns[at + 1] = entry.status;
    columns[at + 2] = this.#keepLines(numbers, request);
    columns[at + 3] = request.lastLine - request.firstLine;
    this.#keepLines(numbers, response);
    columns[at + 4] = response.lastLine - response.firstLine;
    columns[at + 5] = this.#keepBody(request, bytes);
    columns[at + 6] = (request.bodyEnd - request.bodyStart) * 4 + Math.max(request.form, NO_BODY);
    columns[at + 7] = this.#keepBody(response, bytes);
    columns[at + 8] = (response.bodyEnd - response.bodyStart) * 4 + response.form;
    if (entry.wait > 0) this.#waits.set(number, entry.wait);
    return new Row(this, number);
  }

  /** The URL of an entry. */
  url(number: number): string {
    return this.#urls[number]!;
  }

  /** The method, reason and versions of an entry. */
  kind(number: number): { method: string; reason: string; request: HttpVersion; response: HttpVersion } {
    return this.#kinds[this.#columns[COLUMNS * number]!]!;
  }

  /** The status of an entry. */
  status(number: number): number {
    return this.#columns[COLUMNS * number + 1]!;
  }

  /** How long the server took. */
  wait(number: number): number | undefined {
    return this.#waits.get(number);
  }

  /** The request of an entry. */
  request(number: number): StoredMessage {
    const at = COLUMNS * number;
    const first = this.#columns[at + 2]!;
    const fields = this.#fields(first, first + this.#columns[at + 3]!);
    return { httpVersion: this.kind(number).request, fields, trailers: undefined, body: this.#body(at + 5) };
  }

  /** The response of an entry. */
  response(number: number): StoredMessage {
    const at = COLUMNS * number;
    const first = this.#columns[at + 2]! + this.#columns[at + 3]!;
    const fields = this.#fields(first, first + this.#columns[at + 4]!);
    return { httpVersion: this.kind(number).response, fields, trailers: undefined, body: this.#body(at + 7) };
  }

  #kindOf({ method, reason, request, response }: PlainEntry): number {
    const key = `${method} ${VERSIONS.indexOf(request.version)}${VERSIONS.indexOf(response.version)}${reason}`;
    let number = this.#kindNumbers.get(key);
    if (number === undefined) {
      number = this.#kinds.push({ method, reason, request: request.version, response: response.version }) - 1;
      this.#kindNumbers.set(key, number);
    }
    return number;
  }

  #keepLines(numbers: Uint32Array, { firstLine, lastLine }: PlainMessage): number {
    const start = this.#used;
    while (start + lastLine - firstLine > this.#numbers.length) this.#numbers = grown(this.#numbers);
    for (let i = firstLine; i < lastLine; i++) this.#numbers[this.#used++] = numbers[i]!;
    return start;
  }

  #fields(from: number, to: number): string {
    let fields = "";
    for (let i = from; i < to; i++) fields += this.#lines.line(this.#numbers[i]!);
    return fields;
  }

  /** The place of the body among the blocks: a body is within one. */
  #keepBody({ form, bodyStart, bodyEnd }: PlainMessage, bytes: Buffer): number {
    const length = bodyEnd - bodyStart;
    if (form === NO_BODY || length === 0) return 0;
    if (length > this.#room) {
      // A large one has a block of its own, as long as places can be numbered.
      const size = Math.ceil(Math.max(length, BLOCK) / BLOCK) * BLOCK;
      this.#blocks.push(Buffer.allocUnsafeSlow(size));
      for (let more = BLOCK; more < size; more += BLOCK) this.#blocks.push(EMPTY);
      this.#room = size;
    }
    let first = this.#blocks.length - 1;
    while (this.#blocks[first]!.length === 0) first--;
    const block = this.#blocks[first]!;
    const offset = block.length - this.#room;
    bytes.copy(block, offset, bodyStart, bodyEnd);
    this.#room -= length;
    if (length > BLOCK) this.#room = 0;
    return first * BLOCK + offset;
  }

  #body(column: number): StoredBody | undefined {
    const form = this.#columns[column + 1]! & 3;
    if (form === NO_BODY) return undefined;
    const length = this.#columns[column + 1]! >>> 2;
    const place = this.#columns[column]!;
    const bytes = this.#blocks[Math.floor(place / BLOCK)]!.subarray(place % BLOCK, place % BLOCK + length);
    const value = unquoted(bytes);
    return { form: form === TEXT ? "text" : form === BASE64 ? "base64" : "file", value, encoded: false };
  }
}

const EMPTY = Buffer.alloc(0);

/** One of them. */
class Row implements StoredEntry {
  readonly #of: PlainEntries;
  readonly #number: number;

  constructor(of: PlainEntries, number: number) {
    this.#of = of;
    this.#number = number;
  }

  get method(): string {
    return this.#of.kind(this.#number).method;
  }

  get url(): string {
    return this.#of.url(this.#number);
  }

  get status(): number {
    return this.#of.status(this.#number);
  }

  get reason(): string {
    return this.#of.kind(this.#number).reason;
  }

  get request(): StoredMessage {
    return this.#of.request(this.#number);
  }

  get response(): StoredMessage {
    return this.#of.response(this.#number);
  }

  get wait(): number | undefined {
    return this.#of.wait(this.#number);
  }

  // What a plain entry has not.
  get failure(): FlowError | undefined {
    return undefined;
  }

  get comment(): undefined {
    return undefined;
  }
}

/** The text that stands between the quotes of a JSON string. */
export function unquoted(bytes: Buffer): string {
  return bytes.includes(0x5c) ? JSON.parse(`"${bytes.toString("utf8")}"`) as string : bytes.toString("utf8");
}

function grown(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const array = new Uint32Array(2 * old.length);
  array.set(old);
  return array;
}
