/**
 * Was every request matched by the tape?
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import { shorten } from "../flow/matcher/describe.ts";
import { missOf } from "../flow/miss.ts";
import { renderComparisons } from "../flow/near_miss.ts";
import { type Check, indented, outcome, type Section } from "./check.ts";
import { type Cleaner, cleanerFor } from "./cleaner.ts";
import { paintFor } from "./colors.ts";
import { flowTable, titleOf } from "./sections.ts";
import { type ReceivingProxy, unmatchedOf } from "./source.ts";
import { countOf } from "./times.ts";

/** What is told of the first few is most often true of the others. */
const EXPLAINED = 3;

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
          ...Array.from(unmatched.slice(0, EXPLAINED), (flow, i) => explained(flow, i, cleaner)),
          { text: length > EXPLAINED ? `Of the other ${length - EXPLAINED}, proxy.unmatched has the answers.` : "" },
        ],
      };
    },
  });
}

/** What came nearest, and what to do; or what the client was told, where nothing more is known. */
function explained(flow: Flow, index: number, cleaner: Cleaner): Section {
  const title = `#${index} ${titleOf(flow, cleaner)}`;
  const miss = flow.type === "http" ? missOf(flow.request) : undefined;
  if (miss === undefined) {
    const why = flow.type === "http" ? flow.error?.message ?? answerOf(flow.response) : flow.error?.message;
    return { text: why === undefined ? "" : `${title}\n${indented(cleaner.text(shorten(why)))}` };
  }
  const nearest = miss.nearest.map(({ kind, title, closeness, comparisons }) => ({
    kind,
    title: cleaner.text(title),
    flow: flow.id,
    closeness,
    comparisons: comparisons.map((one) => cleaner.comparison(one)),
  }));
  const advice = miss.advice.map(({ text, code }) => ({ text, code: cleaner.text(code), flow: flow.id }));
  const width = Math.max(...advice.map(({ text }) => text.length));
  const parts = [
    [title, ...(miss.reason === undefined ? [] : [`  ${miss.reason}`])].join("\n"),
    ...nearest.map(({ kind, title, comparisons }) => {
      const legend = legendOf(kind === "entry" ? "recorded" : "wanted");
      const what = kind === "entry" ? "nearest on the tape" : "nearest rule";
      return `  ${what}: ${title} (${legend})\n${renderComparisons(comparisons, { paint: paintFor() })}`;
    }),
    advice.map(({ text, code }) => `  ${`${text}:`.padEnd(width + 1)} ${code}`).join("\n"),
  ];
  return { text: parts.filter((part) => part !== "").join("\n\n"), nearest, advice };
}

function legendOf(wanted: string): string {
  const paint = paintFor();
  return `${paint("expected", `- ${wanted}`)} ${paint("received", "+ received")}`;
}

function answerOf(response: { text(): string } | undefined): string | undefined {
  try {
    return response?.text().trim() || undefined;
  } catch {
    return undefined;
  }
}
