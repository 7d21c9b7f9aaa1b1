/**
 * Was every request matched by the tape?
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import { shorten } from "../flow/matcher/describe.ts";
import { redactText } from "../flow/sensitive.ts";
import { describeFlow } from "../flow/summary.ts";
import { type Check, indented, joined, section } from "./check.ts";
import { type ReceivingProxy, unmatchedOf } from "./source.ts";
import { requests } from "./times.ts";

/** Whether every request was matched by something on the tape. */
export function checkNoUnmatched(proxy: Pick<ReceivingProxy, "unmatched">): Check {
  const unmatched = unmatchedOf(proxy);
  const pass = unmatched.length === 0;
  return {
    pass,
    message: () => {
      if (pass) return "expected requests that nothing on the tape matches\nreceived none";
      return joined(
        `expected the tape to match every request\nreceived ${requests(unmatched.length)} that nothing matches`,
        section("unmatched", unmatched, unmatched.dropped),
        ...Array.from(unmatched.slice(0, 3), explained),
      );
    },
    actual: requests(unmatched.length),
    expected: requests(0),
  };
}

/** The tape tells the client why: that is in the error or in the answer. */
function explained(flow: Flow): string {
  const why = flow.type === "http" ? flow.error?.message ?? answerOf(flow.response) : flow.error?.message;
  const { method, url } = describeFlow(flow);
  return why === undefined ? "" : `${method} ${url}\n${indented(shorten(redactText(why)))}`;
}

function answerOf(response: { text(): string } | undefined): string | undefined {
  try {
    return response?.text().trim() || undefined;
  } catch {
    return undefined;
  }
}
