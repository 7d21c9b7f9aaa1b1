/**
 * Rules for raw conversations: those whose matcher asks for them with `tcp()`.
 *
 * @module
 */
import { FlowtapeError } from "../flow/error.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import { isThenable } from "./check.ts";
import type { Lifeline } from "./lifeline.ts";
import type { Work } from "./action.ts";
import { type Rule, ruleError } from "./rule.ts";
import type { RuleList } from "./rule_list.ts";

/**
 * Does to a conversation what the first rule says whose matcher has `tcp()` in it and accepts it; where there is none, what
 * `defaultAction` says. There is nothing to answer or to edit: what can be done is to forward, to drop, to slow down and to break; a default
 * action of another kind is for HTTP.
 *
 * @throws {FlowtapeError} the rule's action is of another kind, or its matcher threw
 */
export function decideTcp(
  flow: TcpFlow,
  { rules, fallback }: RuleList,
  lifeline: Lifeline,
): void | Promise<void> {
  if (flow.error !== undefined) return;
  for (const rule of rules) {
    const work = take(rule, flow);
    if (work !== undefined) return during(rule, flow, work, lifeline);
  }
  const work = fallback.take();
  if (work?.tcp !== undefined) {
    return during({ place: "defaultAction", description: fallback.description }, flow, work, lifeline);
  }
}

function take(rule: Rule, flow: TcpFlow): Work | undefined {
  try {
    const work = rule.attemptTcp?.(flow);
    if (work === undefined) return undefined;
    rule.calls?.append(flow);
    if (work.tcp === undefined) {
      throw new FlowtapeError(
        "RULE_FAILED",
        `the action cannot be done to a raw conversation: "forward", "drop", delay(), throttle() and fault() can, and tcpStart and ` +
          "tcpMessage hooks do the rest",
      );
    }
    return work;
  } catch (cause) {
    throw ruleError(rule, cause);
  }
}

function during(
  rule: Pick<Rule, "place" | "description">,
  flow: TcpFlow,
  work: Work,
  lifeline: Lifeline,
): void | Promise<void> {
  const refuse = (cause: unknown) => {
    throw ruleError(rule, cause);
  };
  try {
    const result = work.tcp!(flow);
    if (isThenable(result)) return lifeline.during(flow, Promise.resolve(result).catch(refuse), () => {});
  } catch (cause) {
    refuse(cause);
  }
}
