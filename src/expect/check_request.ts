/**
 * Does this one flow match?
 *
 * @module
 */
import { comparisonsOf } from "../flow/matcher/compare.ts";
import { compile } from "../flow/matcher/compile.ts";
import { matchesNow } from "../flow/matcher/matches_now.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { type Check, outcome } from "./check.ts";
import { differences, failureFlow, titleOf } from "./sections.ts";
import { flowOf, type GivenFlow } from "./source.ts";

/** Whether a flow is one that the matcher is about. */
export function checkRequest(given: GivenFlow, matcher: Matcher): Check {
  const compiled = compile(matcher, "the matcher");
  const flow = flowOf(given, `that matches ${compiled.description}`);
  const pass = matchesNow(compiled, flow);
  return outcome({
    kind: "request",
    pass,
    actual: titleOf(flow),
    expected: pass ? `not ${compiled.description}` : compiled.description,
    explain: () => {
      const about = {
        text: `expected ${titleOf(flow)}\n${pass ? "not " : ""}to match ${compiled.description}`,
        flows: [failureFlow(flow, -1)],
      };
      return pass ? [about] : [about, differences(flow, comparisonsOf(compiled, flow))];
    },
  });
}
