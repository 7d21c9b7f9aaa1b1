/**
 * Every form of a matcher becomes one inner form here.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import { asAsymmetric } from "./asymmetric.ts";
import { describeValue, isRegExp, isUrlPattern } from "./describe.ts";
import { fromFields } from "./field.ts";
import { compilePredicate } from "./predicate.ts";
import { isSchema } from "./schema.ts";
import { compileShape } from "./shape.ts";
import { compileString } from "./string.ts";
import { regExpField, urlPatternField } from "./url.ts";
import type { CompiledMatcher, Matcher } from "./types.ts";

/**
 * Compiles a matcher of any form. One that is compiled already is returned as it is.
 *
 * @param where its place for errors, such as `rules[3]`
 * @throws {OptionsError} names the place, the value and what is accepted
 */
export function compile(matcher: Matcher, where = "matcher"): CompiledMatcher {
  const given: unknown = matcher;
  if (typeof given === "string") return compileString(given, where);
  if (isSchema(given)) {
    throw new OptionsError(
      `${where} is a schema of ${
        given["~standard"].vendor
      }: write { json: schema } for the body, { query: schema } for the query`,
    );
  }
  if (typeof given === "function") return compilePredicate(matcher as Parameters<typeof compilePredicate>[0], where);
  if (typeof given === "object" && given !== null) {
    if (isRegExp(given)) return fromFields(String(given), [regExpField(given)]);
    if (isCompiled(given)) return given;
    if (isUrlPattern(given)) {
      const only = urlPatternField(given);
      return fromFields(`URLPattern ${given.pathname}`, [only]);
    }
    if (given instanceof URL) return compileShape({ url: given as unknown as string }, where);
    if (!Array.isArray(given) && asAsymmetric(given) === undefined) return compileShape(given, where);
  }
  throw new OptionsError(
    `${where} is ${describeValue(given)}, which is not a matcher: "POST https://shop.test/orders/:id", a RegExp, a ` +
      `URLPattern, { method, url, json, … }, a function of the flow, or all(), any(), not() is accepted`,
  );
}

function isCompiled(value: object): value is CompiledMatcher {
  const { matches, description } = value as Partial<CompiledMatcher>;
  return typeof matches === "function" && typeof description === "string";
}
