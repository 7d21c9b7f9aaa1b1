/**
 * Was it received, and how often?
 *
 * @module
 */
import { compile } from "../flow/matcher/compile.ts";
import { matchesNow } from "../flow/matcher/matches_now.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { type Check, outcome } from "./check.ts";
import { flowTable, nearestRequests, received } from "./sections.ts";
import { flowsOf, type Source } from "./source.ts";
import { countOf, oppositeOf, rangeOf, type Times } from "./times.ts";

/** Whether requests that match were received so many times; at least once by default. */
export function checkReceived(source: Source, matcher: Matcher, times?: Times): Check {
  const flows = flowsOf(source);
  const compiled = compile(matcher, "the matcher");
  const range = rangeOf(times);
  const matching = Array.from(flows).filter((flow) => matchesNow(compiled, flow));
  const count = matching.length;
  const pass = count >= range.atLeast && count <= range.atMost;
  const wanted = pass ? oppositeOf(range) : range.text;
  return outcome({
    kind: "received",
    pass,
    // Where no more than some are wanted, more may come.
    settled: pass ? range.atLeast > 0 || range.atMost === Infinity : count > range.atMost,
    actual: countOf(count),
    expected: wanted,
    explain: () => {
      const isShort = count === 0 || (!pass && count < range.atLeast);
      return [
        { text: `expected ${wanted} matching ${compiled.description}\nreceived ${count === 0 ? "none" : count}` },
        count > 0 ? flowTable("matching", matching, flows) : undefined,
        isShort ? nearestRequests(compiled, flows) : undefined,
        isShort ? received(flows) : undefined,
      ];
    },
  });
}
