/**
 * JSON bodies: a partial deep match, and where it fails.
 *
 * @module
 */
import { isSensitiveName } from "../sensitive.ts";
import { asAsymmetric } from "./asymmetric.ts";
import { compareSchema } from "./compare_schema.ts";
import { describeValue, isRegExp, MAX_PRINTED } from "./describe.ts";
import { excerpts } from "./excerpt.ts";
import { isSchema, schemaAccepts } from "./schema.ts";
import { found } from "./value.ts";
import type { Comparison } from "./types.ts";

/** How much of an object must be given. */
export interface JsonOptions {
  /** `"partial"` (the default): keys that are not wanted may be there; `"exact"`: they may not. */
  keys?: "partial" | "exact";
  /** What the value is called: `json` by default. */
  root?: string;
}

/** A difference further on helps nobody any more. */
const MAX_COMPARISONS = 100;

/**
 * Whether a JSON value is what is wanted: objects when every wanted key is, arrays element by element. `RegExp`,
 * functions and asymmetric matchers may stand anywhere; `undefined` wants a key to be absent.
 */
export function matchesJson(expected: unknown, actual: unknown, options: JsonOptions = {}): boolean {
  if (expected === actual) return true;
  if (typeof expected !== "object" && typeof expected !== "function" || expected === null) return false;
  const special = specialTest(expected);
  if (special !== undefined) return special(actual);
  const wanted = plain(expected);
  if (Array.isArray(wanted)) {
    return Array.isArray(actual) && actual.length === wanted.length &&
      wanted.every((one, i) => matchesJson(one, actual[i], options));
  }
  if (!isRecord(wanted)) return wanted === actual;
  if (!isRecord(actual)) return false;
  return keysOf(wanted, actual, options).every((key) => matchesJson(own(wanted, key), own(actual, key), options));
}

/** The same leaf by leaf: `json.items[0].qty`. At most 100 comparisons are made. */
export function compareJson(expected: unknown, actual: unknown, options: JsonOptions = {}): Comparison[] {
  const found: Comparison[] = [];
  compareInto(found, { expected, actual, path: options.root ?? "json", name: "" }, options);
  return found;
}

/**
 * Two texts leaf by leaf, when both are JSON objects or arrays that differ.
 *
 * @param root what the value is called
 */
export function compareJsonTexts(expected: string, actual: string, root: string): Comparison[] | undefined {
  const [wanted, found] = [expected, actual].map((text) => /^\s*[{[]/.test(text) ? parse(text) : undefined);
  if (wanted === undefined || found === undefined) return undefined;
  const comparisons = compareJson(wanted, found, { keys: "exact", root });
  return comparisons.some(({ matches }) => !matches) ? comparisons : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Place {
  expected: unknown;
  actual: unknown;
  path: string;
  /** The key it stands under, or one further up that is sensitive. */
  name: string;
}

function compareInto(found: Comparison[], place: Place, options: JsonOptions): void {
  if (found.length >= MAX_COMPARISONS) return;
  const { actual, path, name } = place;
  if (isSchema(place.expected)) {
    found.push(...compareSchema(place.expected, actual, { field: path, name, member }));
    return;
  }
  const isPattern = typeof place.expected === "object" && place.expected !== null && specialTest(place.expected);
  const expected = isPattern ? place.expected : plain(place.expected);
  if (!isPattern && Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length || expected.length === 0) {
      found.push(leaf(expected.length, actual.length, `${path}.length`, "", options));
    }
    expected.slice(0, actual.length).forEach((one, i) =>
      compareInto(found, { expected: one, actual: actual[i], path: `${path}[${i}]`, name }, options)
    );
    return;
  }
  const keys = !isPattern && isRecord(expected) && isRecord(actual) ? keysOf(expected, actual, options) : [];
  if (keys.length === 0) {
    found.push(leaf(expected, actual, path, name, options));
    return;
  }
  for (const key of keys) {
    compareInto(found, {
      expected: own(expected as Record<string, unknown>, key),
      actual: own(actual as Record<string, unknown>, key),
      path: path + member(key),
      name: isSensitiveName(name) ? name : key,
    }, options);
  }
}

function leaf(expected: unknown, actual: unknown, path: string, name: string, options: JsonOptions): Comparison {
  const matches = matchesJson(expected, actual, options);
  if (typeof expected === "string" && typeof actual === "string" && !isSensitiveName(name)) {
    // What is common to long texts would hide where they differ.
    const [wanted, found] = excerpts(JSON.stringify(expected), JSON.stringify(actual), MAX_PRINTED);
    return { field: path, expected: wanted, actual: found, matches };
  }
  return {
    field: path,
    expected: expected === undefined ? "absent" : describeValue(expected, name),
    actual: actual === undefined ? undefined : describeValue(actual, name),
    matches,
  };
}

/** What stands for many values. */
function specialTest(expected: object): ((actual: unknown) => boolean) | undefined {
  // What is absent is for the schema to judge: a part of it may be optional.
  if (isSchema(expected)) return (actual) => schemaAccepts(expected, actual);
  if (typeof expected === "function") return (actual) => actual !== undefined && Boolean(expected(actual));
  if (isRegExp(expected)) return (actual) => typeof actual === "string" && found(expected, actual);
  const asymmetric = asAsymmetric(expected);
  // Of vitest, expect.not.… accepts what is absent too: for a body that would be a surprise.
  return asymmetric && ((actual) => actual !== undefined && asymmetric.accepts(actual));
}

/** What `JSON.stringify` would make of a `Date` and its like. */
function plain(value: unknown): unknown {
  const { toJSON } = (value ?? {}) as { toJSON?: unknown };
  return typeof toJSON === "function" ? toJSON.call(value) : value;
}

function keysOf(expected: Record<string, unknown>, actual: Record<string, unknown>, options: JsonOptions): string[] {
  const keys = Object.keys(expected);
  return options.keys === "exact" ? [...new Set([...keys, ...Object.keys(actual)])] : keys;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function member(key: string | number): string {
  if (typeof key === "number") return `[${key}]`;
  return /^[A-Za-z_$][\w$-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
