/**
 * The query of a URL pattern: `page=2&tag=*&debug`.
 *
 * @module
 */
import type { Field } from "./field.ts";
import { globPattern } from "./text_pattern.ts";
import type { ValueMatcher } from "./types.ts";
import { recordFields } from "./record.ts";

/**
 * The parameters that must be there: `name=value`, where `*` is anything and `:name` anything that is not empty, or
 * `name` alone for any value. A name that is written twice wants both values, in that order.
 */
export function queryFields(query: string): Field[] {
  const wanted = new Map<string, ValueMatcher[]>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    const mark = pair.indexOf("=");
    const name = decode(mark < 0 ? pair : pair.slice(0, mark));
    const value = mark < 0 ? true : valueOf(pair.slice(mark + 1));
    wanted.set(name, [...wanted.get(name) ?? [], value]);
  }
  const record = Object.fromEntries(Array.from(wanted, ([name, all]) => [name, all.length === 1 ? all[0]! : all]));
  return recordFields("query", record, "the query");
}

function valueOf(raw: string): ValueMatcher {
  if (/^:[A-Za-z_]\w*$/.test(raw)) return named(raw, (value) => value !== "");
  const pattern = globPattern(raw, decode);
  return pattern.exact ?? named(raw, pattern.test);
}

/** The pattern itself is what a near miss should show. */
function named(name: string, test: (value: string) => boolean): (value: string) => boolean {
  return Object.defineProperty((value: string) => test(value), "name", { value: name });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
