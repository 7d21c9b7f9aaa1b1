/**
 * Was it received, and how often?
 *
 * @module
 */
import { compile } from "../flow/matcher/compile.ts";
import { matchesNow } from "../flow/matcher/matches_now.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { type Check, joined, nearMisses, received, section } from "./check.ts";
import { flowsOf, type Source } from "./source.ts";
import { rangeOf, requests, type Times } from "./times.ts";

/** Whether requests that match were received so many times; at least once by default. */
export function checkReceived(source: Source, matcher: Matcher, times?: Times): Check {
  const flows = flowsOf(source);
  const compiled = compile(matcher, "the matcher");
  const range = rangeOf(times);
  const matching = Array.from(flows).filter((flow) => matchesNow(compiled, flow));
  const count = matching.length;
  const pass = count >= range.atLeast && count <= range.atMost;
  const wanted = pass ? oppositeOf(range.text) : range.text;
  return {
    pass,
    message: () => {
      const start = `expected ${wanted} matching ${compiled.description}\nreceived ${count === 0 ? "none" : count}`;
      const isShort = count === 0 || (!pass && count < range.atLeast);
      return joined(
        start,
        count > 0 ? section("matching", matching) : "",
        isShort ? nearMisses(compiled, flows) : "",
        isShort ? received(flows) : "",
      );
    },
    actual: requests(count),
    expected: wanted,
  };
}

function oppositeOf(text: string): string {
  if (text === "at least 1 request") return "no request";
  return text === "no request" ? "at least 1 request" : `anything but ${text}`;
}
