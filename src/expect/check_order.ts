/**
 * Were they received in this order?
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import { compile } from "../flow/matcher/compile.ts";
import { matchesNow } from "../flow/matcher/matches_now.ts";
import type { CompiledMatcher, Matcher } from "../flow/matcher/types.ts";
import { type Check, outcome } from "./check.ts";
import { cleanerFor } from "./cleaner.ts";
import { nearestRequests, received, titleOf, underWay } from "./sections.ts";
import { flowsOf, type Source } from "./source.ts";

/** Whether a request for each matcher was received, one after the other; others may lie between them. */
export function checkReceivedInOrder(source: Source, matchers: readonly Matcher[]): Check {
  const set = flowsOf(source);
  const flows = [...set];
  const compiled = matchers.map((matcher, i) => compile(matcher, `matchers[${i}]`));
  const places = placesOf(compiled, flows);
  const pass = places.length === compiled.length;
  const missing = compiled[places.length];
  return outcome({
    kind: "order",
    pass,
    explain: () => {
      const cleaner = cleanerFor(source);
      const isNowhere = missing && !flows.some((flow) => matchesNow(missing, flow));
      const near = isNowhere ? nearestRequests(missing, set, cleaner) : undefined;
      const steps = compiled.map((matcher, i) =>
        `  ${i + 1}. ${cleaner.text(matcher.description)}: ${step(matcher, i, places, flows)}`
      );
      return {
        expected: pass ? "another order" : compiled.map(({ description }) => cleaner.text(description)),
        actual: places.map((place) => titleOf(flows[place]!, cleaner)),
        sections: [
          { text: [`expected these requests ${pass ? "in any other order" : "in this order"}`, ...steps].join("\n") },
          near,
          received(set, cleaner),
          pass ? undefined : underWay(set),
        ],
      };
    },
  });
}

/** Where each was found, as far as they were: taking the first that fits leaves most for the next. */
function placesOf(matchers: readonly CompiledMatcher[], flows: readonly Flow[]): number[] {
  const places: number[] = [];
  for (const matcher of matchers) {
    const from = (places.at(-1) ?? -1) + 1;
    const at = flows.findIndex((flow, i) => i >= from && matchesNow(matcher, flow));
    if (at < 0) break;
    places.push(at);
  }
  return places;
}

function step(matcher: CompiledMatcher, index: number, places: readonly number[], flows: readonly Flow[]): string {
  const place = places[index];
  if (place !== undefined) return `#${place}`;
  if (index > places.length) return "not looked for";
  const earlier = flows.findIndex((flow) => matchesNow(matcher, flow));
  return earlier < 0 ? "not received" : `not received after #${places.at(-1)}, only at #${earlier}`;
}
