/**
 * Header fields as JSON, without their secrets: most lines come again with the next message, and are not looked at again.
 *
 * @module
 */
import { cookiesOf } from "../encode.ts";
import type { HarPair } from "../har.ts";
import type { MessageParts } from "../parts.ts";
import type { Redactor } from "../redact/redactor.ts";
import { isDated, settleDates } from "./dates.ts";

/** The header fields of a message as they stand on the tape. */
export interface PlainFields {
  /** Members of an array. */
  readonly headers: string;
  /** An array. */
  readonly cookies: string;
  /** The value of `Location`; `""` without one. */
  readonly location: string;
}

/** So many lines are remembered, twice. */
const MOST_LINES = 1000;
const LONGEST_LINE = 512;

/** Takes secrets out of header fields, and remembers lines in which there are none. */
export class KnownLines {
  readonly #redactor: Redactor;
  #words = 0;
  // What is asked for moves from the older to the newer.
  #newer = new Map<string, string>();
  #older = new Map<string, string>();

  /** @param redactor takes secrets out of what is not known */
  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** A message comes. @param words another number: what was known counts no longer */
  begin(words: number): void {
    if (words === this.#words) return;
    this.#words = words;
    this.#newer.clear();
    this.#older.clear();
  }

  /** The fields of a request. */
  request({ headers }: Pick<MessageParts, "headers">): PlainFields {
    const cookies: HarPair[] = [];
    const text = this.#each(headers.fields, (name, value) => {
      if (name.toLowerCase() === "cookie") cookies.push(...cookiesOf(value.split(";")));
      return undefined;
    });
    return { headers: text, cookies: pairsJson(cookies), location: "" };
  }

  /** The fields of a response; its dates count from 1970. */
  response({ headers }: Pick<MessageParts, "headers">): PlainFields {
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
  return `{"name":${JSON.stringify(name)},"value":${JSON.stringify(value)}}`;
}

function pairsJson(pairs: readonly HarPair[]): string {
  return pairs.length === 0 ? "[]" : JSON.stringify(pairs);
}
