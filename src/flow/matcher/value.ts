/**
 * One value of a query, a header, a cookie or a form.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import { asAsymmetric } from "./asymmetric.ts";
import { describeValue, isRegExp } from "./describe.ts";
import type { ValueMatcher } from "./types.ts";

/** A value matcher, ready for all values of one name. */
export interface CompiledValue {
  /** What is wanted, for people. */
  readonly text: string;
  /** Whether the values of a name (none when it is absent) are what is wanted. */
  matches(values: readonly string[]): boolean;
}

/**
 * A value matcher, ready to be used. All but an array are content when one of several values fits.
 *
 * @param name the name of the value: that of a sensitive one is not shown
 * @param place for errors, such as `rules[0]: query.page`
 */
export function compileValue(matcher: ValueMatcher, name: string, place: string): CompiledValue {
  if (typeof matcher === "boolean") {
    return matcher
      ? { text: "present", matches: (values) => values.length > 0 }
      : { text: "absent", matches: (values) => values.length === 0 };
  }
  const text = describeValue(typeof matcher === "number" ? String(matcher) : matcher, name);
  if (Array.isArray(matcher)) {
    const all = (matcher as readonly ValueMatcher[]).map((one, i) => compileValue(one, name, `${place}[${i}]`));
    return {
      text,
      matches: (values) => values.length === all.length && all.every((one, i) => one.matches([values[i]!])),
    };
  }
  const test = compileOne(matcher as ValueMatcher, place);
  return { text, matches: (values) => values.some(test) };
}

/** `RegExp.test` would go on where it stopped when the expression is global or sticky; `search` has no memory. */
export function found(expression: RegExp, text: string): boolean {
  return text.search(expression) >= 0;
}

function compileOne(matcher: ValueMatcher, place: string): (value: string) => boolean {
  if (typeof matcher === "string") return (value) => value === matcher;
  if (typeof matcher === "number") {
    const text = String(matcher);
    return (value) => value === text;
  }
  const asymmetric = asAsymmetric(matcher);
  if (asymmetric) return asymmetric.accepts;
  if (typeof matcher === "function") return (value) => Boolean(matcher(value));
  if (isRegExp(matcher)) return (value) => found(matcher, value);
  throw new OptionsError(
    `${place} is ${describeValue(matcher)}: a string, number, RegExp, function, expect.…(), a schema or an array of ` +
      `those is accepted; true wants it to be there, false to be absent`,
  );
}
