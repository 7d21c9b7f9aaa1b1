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
import { cleanerFor } from "./cleaner.ts";
import { differences, failureFlow, titleOf, valuesOf } from "./sections.ts";
import { flowOf, type GivenFlow } from "./source.ts";

/** Whether a flow is one that the matcher is about. */
export function checkRequest(given: GivenFlow, matcher: Matcher): Check {
  const compiled = compile(matcher, "the matcher");
  const flow = flowOf(given, `that matches ${compiled.description}`);
  const pass = matchesNow(compiled, flow);
  return outcome({
    kind: "request",
    pass,
    explain: () => {
      const cleaner = cleanerFor(flow);
      const title = titleOf(flow, cleaner);
      const wanted = `${pass ? "not " : ""}to match ${cleaner.text(compiled.description)}`;
      const about = { text: `expected ${title}\n${wanted}`, flows: [failureFlow(flow, -1, cleaner)] };
      if (pass) return { expected: wanted, actual: title, sections: [about] };
      const differing = differences(flow, comparisonsOf(compiled, flow), cleaner);
      const sections = [about, differing];
      return { expected: wanted, actual: title, ...valuesOf(differing.nearest ?? []), sections };
    },
  });
}
