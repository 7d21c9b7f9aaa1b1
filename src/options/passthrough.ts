/**
 * The option `https.passthrough`.
 *
 * @module
 */
import { any } from "../flow/matcher/combine.ts";
import { compile } from "../flow/matcher/compile.ts";
import type { CompiledMatcher, Matcher } from "../flow/matcher/types.ts";

/**
 * A matcher of any form, or a list of hosts.
 *
 * @throws {OptionsError} names the option, its value, and what is accepted
 */
export function compilePassthrough(
  given: Matcher | readonly string[],
  where = "option https.passthrough",
): CompiledMatcher {
  if (!Array.isArray(given)) return compile(given as Matcher, where);
  return any(...given.map((host: string, i) => compile({ host }, `${where}[${i}]`)));
}
