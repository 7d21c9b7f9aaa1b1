/**
 * What two recordings have taught.
 *
 * @module
 */
import type { BodyMatchOptions, MatchOptions } from "./match_options.ts";

/** A difference between two recordings. */
export interface Lesson {
  /** What differs: a query parameter, a header field, a place in a body, or a body that no list can take apart. */
  readonly kind: "query" | "header" | "body" | "whole";
  /** How an option names it. */
  readonly name: string;
  /** The request: `POST https://shop.test/orders`. */
  readonly place: string;
  /** The values, for people. */
  readonly before: string;
  readonly now: string;
}

/** `match` options that were learned: give them to a tape as they are, or print them and write them down. */
export class Learned implements MatchOptions {
  /** As in {@linkcode MatchOptions}. */
  declare readonly query?: NonNullable<MatchOptions["query"]>;
  /** As in {@linkcode MatchOptions}. */
  declare readonly headers?: NonNullable<MatchOptions["headers"]>;
  /** As in {@linkcode MatchOptions}. */
  declare readonly body?: NonNullable<MatchOptions["body"]>;
  readonly #lessons: readonly Lesson[];
  readonly #alone: readonly string[];

  /**
   * For {@linkcode learn}.
   *
   * @param alone requests that only one recording has
   * @param given options that there were before
   */
  constructor(lessons: readonly Lesson[], alone: readonly string[], given: MatchOptions) {
    this.#lessons = lessons;
    this.#alone = alone;
    Object.assign(this, given);
    const names = (
      kind: Lesson["kind"],
    ) => [...new Set(lessons.filter((one) => one.kind === kind).map(({ name }) => name))];
    const own = this as { -readonly [K in keyof MatchOptions]: MatchOptions[K] };
    const [query, headers, body] = [names("query"), names("header"), names("body")];
    if (query.length > 0 && given.query !== false) own.query = { ignore: merged(given.query, query) };
    if (headers.length > 0) own.headers = headersWithout(given.headers!, headers);
    if (body.length > 0 && given.body !== false) {
      const before: BodyMatchOptions = typeof given.body === "object" ? given.body : {};
      own.body = { ...before, ignore: merged(before, body) };
    }
  }

  /** What differs, where, and what is to be done about it: to be printed. */
  get explanation(): string {
    const parts = [
      this.#told("query", "query parameters"),
      this.#told("header", "header fields"),
      this.#told("body", "places in bodies"),
      this.#told("whole", "bodies that no list can ignore a part of: match.normalize can, or body: false"),
      this.#alone.length === 0
        ? ""
        : `requests of one recording only:\n${this.#alone.map((one) => `  ${one}`).join("\n")}`,
    ].filter((part) => part !== "");
    if (parts.length === 0) return "The two recordings ask for the same: nothing needs to be ignored.";
    return `${parts.join("\n\n")}\n\nmatch: ${JSON.stringify(this)}`;
  }

  /** The {@linkcode Learned.explanation}. */
  toString(): string {
    return this.explanation;
  }

  #told(kind: Lesson["kind"], title: string): string {
    const groups = Map.groupBy(this.#lessons.filter((one) => one.kind === kind), ({ name, place }) => name || place);
    if (groups.size === 0) return "";
    const lines = Array.from(groups, ([name, lessons]) => {
      const { place, before, now } = lessons[0]!;
      const more = lessons.length > 1 ? `, and ${lessons.length - 1} more` : "";
      return `  ${name}: ${before} and ${now}${name === place ? "" : ` (${place}${more})`}`;
    });
    return `${title}:\n${lines.join("\n")}`;
  }
}

function merged(
  given: boolean | { readonly ignore?: readonly string[] } | undefined,
  names: readonly string[],
): string[] {
  return [...new Set([...typeof given === "object" ? given.ignore ?? [] : [], ...names])];
}

function headersWithout(given: NonNullable<MatchOptions["headers"]>, names: readonly string[]) {
  if ("ignore" in given) return { ignore: merged(given, names) };
  return given.filter((name) => !names.includes(name.toLowerCase()));
}
