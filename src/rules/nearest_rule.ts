/**
 * The rule that almost took a request.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import { comparisonsOf } from "../flow/matcher/compare.ts";
import { compile } from "../flow/matcher/compile.ts";
import type { Comparison, CompiledMatcher } from "../flow/matcher/types.ts";
import type { Miss } from "../flow/miss.ts";
import { rank } from "../flow/near_miss.ts";
import type { Rule } from "./rule.ts";
import { ruleLine } from "./rule_line.ts";

/** How many rules are looked at. */
const LOOKED_AT = 500;

/** A rule that has less in common with a request than this was not meant for it. */
const NEAR = 0.5;

/** What the rules would say of a request that nothing has answered: the nearest of them, and the line that would answer it. */
export function missOfRules(rules: readonly Rule[], flow: HttpFlow): Miss {
  const compared = rules.slice(0, LOOKED_AT).filter(({ compare }) => compare !== undefined);
  const [best] = rank(compared, (rule) => safely(rule, flow), 1);
  const near = best !== undefined && best.closeness >= NEAR ? best : undefined;
  return {
    nearest: near === undefined ? [] : [{
      kind: "rule",
      title: `${near.subject.place}, ${near.subject.description}`,
      closeness: near.closeness,
      comparisons: near.comparisons,
    }],
    advice: [{ text: "to answer it with a rule", code: ruleLine(flow.request) }],
  };
}

/** The comparisons of an MSW handler, as far as its path is written like one of ours. */
export function compareHandler(
  method: string | undefined,
  path: unknown,
): ((flow: HttpFlow) => Comparison[]) | undefined {
  if (typeof path !== "string") return undefined;
  try {
    const matcher: CompiledMatcher = compile(method === undefined ? path : `${method} ${path}`);
    return (flow) => comparisonsOf(matcher, flow);
  } catch {
    return undefined;
  }
}

/** What a predicate of the test throws is told where the rule is tried, and not here. */
function safely(rule: Rule, flow: HttpFlow): Comparison[] {
  try {
    return rule.compare!(flow);
  } catch {
    return [];
  }
}
