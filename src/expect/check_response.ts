/**
 * Was this one flow answered like that?
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { Flow } from "../flow/flow.ts";
import { comparisonsOf } from "../flow/matcher/compare.ts";
import { compile } from "../flow/matcher/compile.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { matchesNow } from "../flow/matcher/matches_now.ts";
import { withoutSecrets } from "../flow/matcher/shape.ts";
import type { ResponseShape } from "../flow/matcher/types.ts";
import { type Check, outcome } from "./check.ts";
import { cleanerFor } from "./cleaner.ts";
import { differences, failureFlow, titleOf, valuesOf } from "./sections.ts";
import { flowOf, type GivenFlow } from "./source.ts";

/** A response by some of its parts, or its status alone: `201`, `"4xx"`. */
export type ResponseMatcher = number | string | ResponseShape;

/** Whether a flow has a response, and one that matches. */
export function checkResponded(given: GivenFlow, wanted: ResponseMatcher = {}): Check {
  const shape = typeof wanted === "object" ? wanted : { status: wanted };
  const compiled = compile({ response: shape }, "the response");
  const described = describeValue(withoutSecrets(shape));
  const text = described === "{}" ? "" : ` with ${typeof wanted === "object" ? described : String(wanted)}`;
  const flow = flowOf(given, `that is answered${text}`);
  if (flow.type === "tcp") throw new OptionsError("a raw conversation has no response: a flow of HTTP is wanted");
  const pass = matchesNow(compiled, flow);
  return outcome({
    kind: "response",
    pass,
    explain: () => {
      const cleaner = cleanerFor(flow);
      const wanted = `${pass ? "not " : ""}to be answered${cleaner.text(text)}`;
      const about = {
        text: `expected ${titleOf(flow, cleaner)}\n${wanted}\n${answerOf(flow)}`,
        flows: [failureFlow(flow, -1, cleaner)],
      };
      const told = { expected: wanted, actual: answerOf(flow) };
      if (pass || flow.response === undefined) return { ...told, sections: [about] };
      const comparisons = comparisonsOf(compiled, flow).map((one) => ({
        ...one,
        field: one.field.replace(/^response\./, ""),
      }));
      const differing = differences(flow, comparisons, cleaner);
      return { ...told, ...valuesOf(differing.nearest ?? []), sections: [about, differing] };
    },
  });
}

/** Such as `it was answered with 402 Payment Required by a rule`. */
function answerOf(flow: Exclude<Flow, { type: "tcp" }>): string {
  const { response, error, done, source } = flow;
  if (error !== undefined) return `it failed with ${error.code}`;
  if (response === undefined) return done ? "it was not answered" : "it has not been answered yet";
  return `it was answered with ${`${response.status} ${response.reason}`.trim()} by ${WHO[source]}`;
}

const WHO: Readonly<Record<Flow["source"], string>> = {
  upstream: "the server",
  rule: "a rule",
  tape: "the tape",
  app: "the application behind the proxy",
  addon: "an addon",
};
