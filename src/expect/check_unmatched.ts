/**
 * Was every request matched by the tape?
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import { shorten } from "../flow/matcher/describe.ts";
import { redactText } from "../flow/sensitive.ts";
import { type Check, indented, outcome } from "./check.ts";
import { type Cleaner, cleanerFor } from "./cleaner.ts";
import { flowTable, titleOf } from "./sections.ts";
import { type ReceivingProxy, unmatchedOf } from "./source.ts";
import { countOf } from "./times.ts";

/** Whether every request was matched by something on the tape. */
export function checkNoUnmatched(proxy: Pick<ReceivingProxy, "unmatched">): Check {
  const unmatched = unmatchedOf(proxy);
  const { length } = unmatched;
  const pass = length === 0;
  return outcome({
    kind: "unmatched",
    pass,
    explain: () => {
      const cleaner = cleanerFor(unmatched);
      if (pass) {
        const text = "expected requests that nothing on the tape matches\nreceived none";
        return { expected: "at least 1 request", actual: "no request", sections: [{ text }] };
      }
      return {
        expected: "no request",
        actual: countOf(length),
        sections: [
          { text: `expected the tape to match every request\nreceived ${countOf(length)} that nothing matches` },
          flowTable("unmatched", [...unmatched], unmatched, cleaner),
          ...Array.from(unmatched.slice(0, 3), (flow) => ({ text: explained(flow, cleaner) })),
        ],
      };
    },
  });
}

/** The tape tells the client why: that is in the error or in the answer. */
function explained(flow: Flow, cleaner: Cleaner): string {
  const why = flow.type === "http" ? flow.error?.message ?? answerOf(flow.response) : flow.error?.message;
  return why === undefined ? "" : `${titleOf(flow, cleaner)}\n${indented(shorten(redactText(why)))}`;
}

function answerOf(response: { text(): string } | undefined): string | undefined {
  try {
    return response?.text().trim() || undefined;
  } catch {
    return undefined;
  }
}
