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
import { type Check, type Explanation, outcome } from "./check.ts";
import { cleanerFor } from "./cleaner.ts";
import { differences, failureFlow, received, titleOf, underWay, valuesOf } from "./sections.ts";
import { flowsOf, type Source } from "./source.ts";
import { countOf } from "./times.ts";

/** Whether the request at a place matches: the first one is 1. */
export function checkReceivedNth(source: Source, nth: number, matcher: Matcher): Check {
  if (!Number.isInteger(nth) || nth < 1) {
    throw new OptionsError(`the place ${describeValue(nth)} is not valid: 1 is the first request, 2 the second`);
  }
  return checkPlace(source, nth - 1 - flowsOf(source).dropped, matcher, `the ${ordinal(nth)} request`);
}

/** Whether the latest request matches. */
export function checkReceivedLast(source: Source, matcher: Matcher): Check {
  return checkPlace(source, flowsOf(source).length - 1, matcher, "the last request");
}

function checkPlace(source: Source, index: number, matcher: Matcher, what: string): Check {
  const set = flowsOf(source);
  const flows = [...set];
  const compiled = compile(matcher, "the matcher");
  const flow = index < 0 ? undefined : flows[index];
  const pass = flow !== undefined && matchesNow(compiled, flow);
  const explain = (): Explanation => {
    const cleaner = cleanerFor(source);
    const description = cleaner.text(compiled.description);
    const start = `expected ${what} ${pass ? "not " : ""}to match ${description}`;
    const wanted = { expected: pass ? `not ${description}` : description };
    if (flow === undefined) {
      const text = index < 0 && set.dropped > 0
        ? `it is not kept any more: ${
          countOf(set.dropped)
        } went, as no more than ${flows.length} are kept (capture.maxFlows)`
        : `received ${flows.length === 0 ? "none" : `${countOf(flows.length)} only`}`;
      const sections = [{ text: `${start}\n${text}` }, received(set, cleaner), underWay(set)];
      return { ...wanted, actual: "no such request", sections };
    }
    const title = titleOf(flow, cleaner);
    const about = { text: `${start}\nit is #${index} ${title}`, flows: [failureFlow(flow, index, cleaner)] };
    if (pass) return { ...wanted, actual: title, sections: [about, received(set, cleaner)] };
    const others = flows.flatMap((one, i) => matchesNow(compiled, one) ? [i + set.dropped] : []);
    const differing = differences(flow, comparisonsOf(compiled, flow), cleaner);
    return {
      ...wanted,
      actual: title,
      ...valuesOf(differing.nearest ?? []),
      sections: [about, differing, { text: elsewhere(others, set.dropped) }, received(set, cleaner)],
    };
  };
  return outcome({ kind: "place", pass, explain });
}

/** The places where what was wanted is instead. */
function elsewhere(places: readonly number[], dropped: number): string {
  if (places.length === 0) return "No other request matches either.";
  const shown = places.slice(0, 5).map((place) => `the ${ordinal(place + 1)} (#${place - dropped})`);
  const more = places.length > 5 ? ` and ${places.length - 5} more` : "";
  return `What matches is ${shown.join(", ")}${more}.`;
}

function ordinal(n: number): string {
  const teens = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${teens ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th"}`;
}
