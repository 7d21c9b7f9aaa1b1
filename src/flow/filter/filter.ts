/**
 * Filter expressions: mitmproxy's language for saying which flows are meant.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import { describeValue } from "../matcher/describe.ts";
import type { CompiledMatcher } from "../matcher/types.ts";
import { redactText } from "../sensitive.ts";
import { parse } from "./parse.ts";
import { print } from "./print.ts";
import { toMatcher } from "./to_matcher.ts";

/**
 * A matcher from a filter expression of mitmproxy, for wherever a matcher is taken: rules, `waitFor`, `flows.filter`, assertions. The
 * operators stand in {@linkcode FILTER_OPERATORS}; their regular expressions do not look at case. `!` binds before `&`, that before `|`,
 * and what just stands side by side must hold too: `a | b c` is `(a | b) & c`.
 *
 * In a rule it is asked before there is a response: then `~q` holds, `~c 500` does not. One that looks into the body of the request
 * waits for it.
 *
 * @example
 * ```ts
 * import { filter, FlowSet } from "flowtape";
 *
 * const flows = new FlowSet();
 * const failed = filter("~m POST & (~u /orders | ~hq x-test) & !~c 200");
 * flows.filter(failed).length; // 0
 * failed.description; // "~m POST & (~u /orders | ~hq x-test) & !~c 200"
 * ```
 *
 * @throws {OptionsError} shows the place in the expression, and says what was expected there
 */
export function filter(expression: string): CompiledMatcher {
  const given: unknown = expression;
  if (typeof given !== "string") {
    throw new OptionsError(
      `the argument of filter() is ${
        describeValue(given)
      }: a filter expression, such as "~m POST & ~u /orders", is accepted`,
    );
  }
  const tree = parse(given);
  return { ...toMatcher(tree), description: redactText(print(tree)) };
}
