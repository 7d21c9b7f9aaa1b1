/**
 * Header fields as they stood on the wire: order, case and duplicates are kept (RFC 9110 section 5).
 *
 * @module
 */
import { OptionsError } from "./error.ts";
import { describeValue } from "./matcher/describe.ts";

/** What header fields can be made from: pairs, a record (an array repeats the field), or a platform `Headers`. */
export type HeadersLike =
  | Iterable<readonly [string, string]>
  | { readonly [name: string]: string | number | readonly string[] | undefined };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// These are the octets a field value may hold (RFC 9110 section 5.5)
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Refuses what would split a message when it is written: a name that is no token, a value with CR, LF or NUL. */
export function checkField(name: string, value: string): void {
  if (!TOKEN.test(name)) {
    throw new OptionsError(
      `header name ${JSON.stringify(name)} is not valid: letters, digits and !#$%&'*+-.^_\`|~ are accepted`,
    );
  }
  if (typeof value !== "string") {
    throw new OptionsError(
      `the value of header ${name} is of type ${value === null ? "null" : typeof value}: a string is accepted`,
    );
  }
  if (!VALUE.test(value)) {
    throw new OptionsError(
      `the value of header ${name} holds a character that cannot be sent: ${
        JSON.stringify(value.slice(0, 80))
      } (line breaks, NUL and characters above U+00FF must be encoded first)`,
    );
  }
}

/**
 * A list of header fields. Lookups ignore case; iteration and {@linkcode FlowHeaders.raw | raw} give every
 * line as it was sent.
 *
 * @example
 * ```ts
 * import { FlowHeaders } from "flowtape";
 *
 * const headers = FlowHeaders.from({ "X-Id": "7", accept: ["text/html", "*\/*"] });
 * headers.get("x-id"); // "7"
 * headers.getAll("accept"); // ["text/html", "*\/*"]
 * ```
 */
export class FlowHeaders implements Iterable<[string, string]> {
  // Most flows pass without anybody looking: the lines stay one string until somebody does.
  #fields: string | undefined;
  #pairs: [string, string][] | undefined;
  #edited = false;

  private constructor(fields: string | undefined, pairs: [string, string][] | undefined) {
    this.#fields = fields;
    this.#pairs = pairs;
  }

  /** From field lines that a parser has checked: each ends with CRLF. */
  static fromFields(fields: string): FlowHeaders {
    return new FlowHeaders(fields, undefined);
  }

  /** From pairs, a record or a platform `Headers`. Throws {@linkcode OptionsError} for a field that cannot be sent. */
  static from(init: HeadersLike = []): FlowHeaders {
    const headers = new FlowHeaders("", []);
    for (const [name, value] of pairsOf(init)) headers.append(name, value);
    return headers;
  }

  /** Every line in order, as sent. */
  get raw(): readonly [string, string][] {
    return this.#list();
  }

  /** True once a field was set, appended or deleted: the wire then writes {@linkcode FlowHeaders.raw | raw}. */
  get edited(): boolean {
    return this.#edited;
  }

  /** The field lines as one string, each ended with CRLF, as they would be sent now. */
  get fields(): string {
    return this.#fields ??= this.#list().map(([name, value]) => `${name}: ${value}\r\n`).join("");
  }

  /** The value of a field, several lines joined with `", "` (RFC 9110 section 5.3); `null` when there is none. */
  get(name: string): string | null {
    const all = this.getAll(name);
    return all.length === 0 ? null : all.length === 1 ? all[0]! : all.join(", ");
  }

  /** The values of all lines of a field, in order. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase();
    if (this.#pairs === undefined) return valuesIn(this.#fields ?? "", wanted);
    const found: string[] = [];
    for (const [key, value] of this.#pairs) {
      if (key.length === wanted.length && key.toLowerCase() === wanted) found.push(value);
    }
    return found;
  }

  /** Whether a field is there. */
  has(name: string): boolean {
    const wanted = name.toLowerCase();
    if (this.#pairs === undefined) return valuesIn(this.#fields ?? "", wanted).length > 0;
    return this.#pairs.some(([key]) => key.toLowerCase() === wanted);
  }

  /** Gives a field one value: the first line keeps its place and case, further lines of that name go. */
  set(name: string, value: string): void {
    checkField(name, value);
    const wanted = name.toLowerCase();
    const list = this.#list();
    const at = list.findIndex(([key]) => key.toLowerCase() === wanted);
    if (at < 0) {
      this.append(name, value);
      return;
    }
    const key = list[at]![0];
    this.#replace(
      list.filter(([other], i) => i === at || other.toLowerCase() !== wanted).map(
        (pair, i) => i === at ? [key, value] : pair,
      ),
    );
  }

  /** Adds a line at the end. */
  append(name: string, value: string): void {
    checkField(name, value);
    this.#replace([...this.#list(), [name, value]]);
  }

  /** Removes every line of a field. */
  delete(name: string): void {
    const wanted = name.toLowerCase();
    const list = this.#list();
    const kept = list.filter(([key]) => key.toLowerCase() !== wanted);
    if (kept.length !== list.length) this.#replace(kept);
  }

  /** A copy that can be edited without touching this one. */
  clone(): FlowHeaders {
    // Pairs are replaced and never changed, so both may have the same.
    const copy = new FlowHeaders(this.#fields, this.#pairs);
    copy.#edited = this.#edited;
    return copy;
  }

  /** The fields as a platform `Headers`. */
  toHeaders(): Headers {
    return new Headers(this.#list());
  }

  /** Every line in order, as sent. */
  [Symbol.iterator](): Iterator<[string, string]> {
    return this.#list()[Symbol.iterator]();
  }

  /** The fields as pairs, for `JSON.stringify` and snapshots. */
  toJSON(): [string, string][] {
    return this.#list();
  }

  #list(): [string, string][] {
    return this.#pairs ??= parseFields(this.#fields ?? "");
  }

  #replace(pairs: [string, string][]): void {
    this.#pairs = pairs;
    this.#fields = undefined;
    this.#edited = true;
  }
}

/** The pairs of header fields in any accepted form. */
export function pairsOf(init: HeadersLike): [string, string][] {
  if (typeof init !== "object" || init === null) throw noHeaders(describeValue(init));
  if (Symbol.iterator in init) return Array.from(init as Iterable<readonly [string, string]>, pairOf);
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(init)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) pairs.push([name, String(one)]);
  }
  return pairs;
}

function pairOf(pair: readonly [string, string]): [string, string] {
  const given: unknown = pair;
  if (!Array.isArray(given)) throw noHeaders(`something with ${describeValue(given)}`);
  // What is in it is not shown: it may be a secret.
  if (given.length !== 2) throw noHeaders(`something with an array of ${given.length}`);
  const [name, value] = given as [string, string | number];
  return [name, typeof value === "number" ? String(value) : value];
}

function noHeaders(what: string): OptionsError {
  return new OptionsError(
    `headers are an object of names and values, an array of [name, value] or a Headers, not ${what}`,
  );
}

function parseFields(fields: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < fields.length;) {
    const end = fields.indexOf("\r\n", at);
    const colon = fields.indexOf(":", at);
    pairs.push([fields.slice(at, colon), fields.slice(colon + 1, end).trim()]);
    at = end + 2;
  }
  return pairs;
}

/** The values of a field, without taking the lines apart: who asks for one field seldom asks for the others. */
function valuesIn(fields: string, wanted: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < fields.length;) {
    const end = fields.indexOf("\r\n", at);
    const colon = at + wanted.length;
    if (fields.charCodeAt(colon) === 0x3a && fields.slice(at, colon).toLowerCase() === wanted) {
      found.push(fields.slice(colon + 1, end).trim());
    }
    at = end + 2;
  }
  return found;
}
