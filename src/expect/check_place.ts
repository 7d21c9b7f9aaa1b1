/**
 * Was it the first, the second, the last that was received?
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { comparisonsOf } from "../flow/matcher/compare.ts";
import { compile } from "../flow/matcher/compile.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { matchesNow } from "../flow/matcher/matches_now.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { type Check, outcome, type Section } from "./check.ts";
import { differences, failureFlow, received, titleOf } from "./sections.ts";
import { flowsOf, type Source } from "./source.ts";
import { countOf } from "./times.ts";

/** Whether the request at a place matches: the first one is 1. */
export function checkReceivedNth(source: Source, nth: number, matcher: Matcher): Check {
  if (!Number.isInteger(nth) || nth < 1) {
    throw new OptionsError(`the place ${describeValue(nth)} is not valid: 1 is the first request, 2 the second`);
  }
  const { dropped } = flowsOf(source);
  return checkPlace(source, nth - 1 - dropped, matcher, `the ${ordinal(nth)} request`);
}

/** Whether the latest request matches. */
export function checkReceivedLast(source: Source, matcher: Matcher): Check {
  return checkPlace(source, flowsOf(source).length - 1, matcher, "the last request");
}

function checkPlace(source: Source, index: number, matcher: Matcher, what: string): Check {
  const set = flowsOf(source);
  const flows = [...set];
  const compiled = compile(matcher, "the matcher");
  const flow = flows[index];
  const pass = flow !== undefined && matchesNow(compiled, flow);
  return outcome({
    kind: "place",
    pass,
    actual: flow === undefined ? "none" : titleOf(flow),
    expected: pass ? `not ${compiled.description}` : compiled.description,
    explain: () => {
      const start = `expected ${what} ${pass ? "not " : ""}to match ${compiled.description}`;
      if (flow === undefined) {
        const why = index < 0 && set.dropped > 0
          ? `it is not kept any more: ${countOf(set.dropped)} went, as capture.maxFlows was reached`
          : `received ${flows.length === 0 ? "none" : `${countOf(flows.length)} only`}`;
        return [{ text: `${start}\n${why}` }, received(set)];
      }
      const others = flows.flatMap((one, i) => i !== index && matchesNow(compiled, one) ? [i] : []);
      const about: Section = {
        text: `${start}\nreceived #${index} ${titleOf(flow)}`,
        flows: [failureFlow(flow, index)],
      };
      if (pass) return [about, received(set)];
      return [
        about,
        differences(flow, comparisonsOf(compiled, flow)),
        { text: others.length === 0 ? "" : `what matches: ${others.slice(0, 10).map((i) => `#${i}`).join(", ")}` },
        received(set),
      ];
    },
  });
}

function ordinal(n: number): string {
  const teens = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${teens ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th"}`;
}
