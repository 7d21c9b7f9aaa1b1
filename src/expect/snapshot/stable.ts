/**
 * Puts numbered placeholders in the place of what is another one in each run: ports, times, identifiers.
 *
 * @module
 */
import type { SnapshotOptions } from "./options.ts";

/** Makes text the same in every run. Equal values have equal placeholders, in the order in which they are met. */
export class Stable {
  readonly #patterns: readonly (readonly [name: string, pattern: RegExp])[];
  readonly #known = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #keepsTimes: boolean;

  /** @param options what is kept, and what else is replaced */
  constructor({ keep = [], replace = {} }: Pick<SnapshotOptions, "keep" | "replace">) {
    const kept = (name: keyof typeof PATTERNS) => keep.includes(name) ? [] : PATTERNS[name];
    this.#patterns = [
      // What the test names goes before what is only thought to be volatile.
      ...Object.entries(replace).map(([name, pattern]) =>
        [name, new RegExp(pattern, pattern.flags.replace(/[gy]/g, "") + "g")] as const
      ),
      ...kept("ids"),
      ...kept("times"),
      ...kept("ports"),
    ];
    this.#keepsTimes = keep.includes("times");
  }

  /** Text without what is volatile. */
  text(text: string): string {
    for (const [name, pattern] of this.#patterns) {
      text = text.replace(pattern, (value) => value === "" ? "" : this.#placeholder(name, value));
    }
    return text;
  }

  /** A JSON value without what is volatile. */
  json(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (typeof value === "number") return this.#isTime(value) ? this.#placeholder("time", String(value)) : value;
    if (Array.isArray(value)) return value.map((one) => this.json(one));
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value).map(([key, member]) => [this.text(key), this.json(member)] as const);
    return Object.fromEntries(members);
  }

  /** Milliseconds since 1970, from 2001 to 2100. */
  #isTime(value: number): boolean {
    return !this.#keepsTimes && Number.isInteger(value) && value >= 1e12 && value < 4.2e12;
  }

  #placeholder(name: string, value: string): string {
    const key = `${name}\0${value}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const number = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, number);
    const placeholder = `[${name}-${number}]`;
    this.#known.set(key, placeholder);
    return placeholder;
  }
}

type Patterns = readonly (readonly [name: string, pattern: RegExp])[];

const PATTERNS: Readonly<Record<"ids" | "times" | "ports", Patterns>> = {
  ids: [
    ["id", /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi],
    ["id", /\b[0-7](?=[0-9A-Z]*\d)[0-9A-HJKMNP-TV-Z]{25}\b/g],
    ["id", /\b(?=[a-f]*\d)[0-9a-f]{24}\b/g],
  ],
  times: [
    ["time", /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?(?![\d:])/g],
    ["time", /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d[ -][A-Z][a-z]{2}[ -]\d{2,4} \d\d:\d\d:\d\d GMT/g],
    ["time", /(?<![\w.-])1\d{12}(?![\w.-])/g],
  ],
  ports: [["port", /(?<=(?:\b127(?:\.\d{1,3}){3}|\blocalhost|\[::1\]):)\d{2,5}\b/g]],
};
