/**
 * Rules that want to be asked about a CONNECT.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { Work } from "../action.ts";
import { isThenable } from "../check.ts";
import { ensureState, type RuleReport } from "../flow_state.ts";
import type { Lifeline } from "../lifeline.ts";
import { type Rule, ruleError } from "../rule.ts";
import type { RuleList } from "../rule_list.ts";
import type { Breakpoints } from "./breakpoints.ts";

/** Finds the first rule that wants to be asked about this tunnel, and does what it says. All others are about requests. */
export function decideConnect(
  flow: HttpFlow,
  { rules, fallback }: RuleList,
  lifeline: Lifeline,
  breakpoints: Breakpoints,
): void | Promise<void> {
  for (const rule of rules) {
    const work = attempt(rule, flow);
    if (work === undefined) continue;
    rule.calls?.append(flow);
    return take(flow, rule, work, lifeline, breakpoints);
  }
  const work = fallback.takeConnect?.();
  const rule = { place: "defaultAction", description: fallback.description };
  if (work !== undefined) return take(flow, rule, work, lifeline, breakpoints);
}

function attempt(rule: Rule, flow: HttpFlow): Work | undefined {
  try {
    return rule.attemptConnect?.(flow);
  } catch (cause) {
    throw ruleError(rule, cause);
  }
}

function take(
  flow: HttpFlow,
  { place, description }: Pick<Rule, "place" | "description">,
  work: Work,
  lifeline: Lifeline,
  breakpoints: Breakpoints,
): void | Promise<void> {
  const report: RuleReport = { place, description, forwarded: true };
  const state = ensureState(flow);
  state.report = report;
  state.breakpoints = breakpoints;
  const named = (cause: unknown): never => {
    throw ruleError(report, cause);
  };
  const finish = () => {
    report.forwarded = flow.response === undefined && flow.error === undefined;
    if (!report.forwarded) flow.source = "rule";
  };
  let result: void | Promise<void>;
  try {
    result = work.run(flow);
  } catch (cause) {
    named(cause);
  }
  return isThenable(result!) ? lifeline.during(flow, Promise.resolve(result).catch(named), finish) : finish();
}
