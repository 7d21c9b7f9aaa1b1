/**
 * Was it received, and how often?
 *
 * @module
 */
import { compareRequests } from "../flow/compare_requests.ts";
import type { Flow } from "../flow/flow.ts";
import { compile } from "../flow/matcher/compile.ts";
import { matchesNow } from "../flow/matcher/matches_now.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { type Check, outcome } from "./check.ts";
import { cleanerFor } from "./cleaner.ts";
import { flowTable, matching, nearestRequests, placesIn, received, underWay, valuesOf } from "./sections.ts";
import { flowsOf, type Source } from "./source.ts";
import { countOf, oppositeOf, rangeOf, type Times } from "./times.ts";

/** Whether requests that match were received so many times; at least once by default. */
export function checkReceived(source: Source, matcher: Matcher, times?: Times): Check {
  const flows = flowsOf(source);
  const compiled = compile(matcher, "the matcher");
  const range = rangeOf(times);
  const fitting = Array.from(flows).filter((flow) => matchesNow(compiled, flow));
  const count = fitting.length;
  const pass = count >= range.atLeast && count <= range.atMost;
  return outcome({
    kind: "received",
    pass,
    // Where no more than some are wanted, more may come.
    settled: pass ? range.atLeast > 0 || range.atMost === Infinity : count > range.atMost,
    explain: () => {
      const cleaner = cleanerFor(source);
      const wanted = pass ? oppositeOf(range) : range.text;
      const found = count > 0
        ? `received ${count}`
        : flows.length === 0
        ? "received none"
        : `received none: ${flows.length === 1 ? "1 other request" : `${flows.length} other requests`}`;
      const isShort = count === 0 || (!pass && count < range.atLeast);
      const near = isShort ? nearestRequests(compiled, flows, cleaner) : undefined;
      return {
        expected: wanted,
        actual: countOf(count),
        ...valuesOf(near?.nearest ?? []),
        sections: [
          { text: `expected ${wanted} ${matching(compiled, cleaner)}\n${found}` },
          count > 0 ? flowTable("matching", fitting, flows, cleaner) : undefined,
          !pass && range.atMost > 0 && count > range.atMost ? { text: sameness(fitting, placesIn(flows)) } : undefined,
          near,
          isShort ? received(flows, cleaner) : undefined,
          isShort ? underWay(flows) : undefined,
        ],
      };
    },
  });
}

/** Whether requests that are too many are one and the same, as those of a retry or of a button that was pressed twice. */
function sameness(flows: readonly Flow[], places: ReadonlyMap<Flow, number>): string {
  const [first, ...others] = flows;
  if (first?.type !== "http" || others.length === 0 || others.length > 9) return "";
  const fields = new Set<string>();
  for (const other of others) {
    if (other.type !== "http") return "";
    for (const { field, matches } of compareRequests(first.request, other.request)) if (!matches) fields.add(field);
  }
  const names = flows.map((flow) => `#${places.get(flow)}`);
  const subject = `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  if (fields.size === 0) return `${subject} are the same request.`;
  const shown = [...fields].slice(0, 8).join(", ");
  return `${subject} differ in ${shown}${fields.size > 8 ? ` and ${fields.size - 8} more` : ""}.`;
}
