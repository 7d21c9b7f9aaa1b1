/**
 * JSON in one form: keys in order, no white space, without what is ignored.
 *
 * @module
 */
import type { PathTest } from "../../flow/json_path.ts";

/** What is left out, and where the value stands. */
export interface CanonicalOptions {
  /** Places that do not count. */
  readonly ignored?: PathTest | undefined;
  /** The keys that lead to the value; none by default. */
  readonly path?: readonly string[];
}

/** The value of JSON text, whose long numbers stay as they were written; `undefined` when it is none. */
export function parseExactly(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text, keepLongNumbers) };
  } catch {
    return undefined;
  }
}

/** A value of {@linkcode parseExactly} in its one form. */
export function canonicalJson(value: unknown, { ignored, path = [] }: CanonicalOptions = {}): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (LONG in value) return value[LONG] as string;
  const inner = (key: string, member: unknown) =>
    canonicalJson(member, ignored ? { ignored, path: [...path, key] } : undefined);
  const entries = Object.entries(value).filter(([key]) => !ignored?.([...path, key]));
  if (Array.isArray(value)) return `[${entries.map(([key, member]) => inner(key, member)).join()}]`;
  entries.sort(([a], [b]) => a < b ? -1 : 1);
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${inner(key, member)}`).join()}}`;
}

/** Identifiers are longer than a number is exact: they are compared as they were written. */
function keepLongNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  return typeof value === "number" && !Number.isSafeInteger(value) && source && /^-?\d+$/.test(source)
    ? { [LONG]: source }
    : value;
}

const LONG = Symbol("a number as it was written");
