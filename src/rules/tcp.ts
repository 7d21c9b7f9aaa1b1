/**
 * Rules for raw conversations: those whose matcher asks for them with `tcp()`.
 *
 * @module
 */
import { FlowtapeError } from "../flow/error.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import { type Rule, ruleError } from "./rule.ts";
import type { RuleList } from "./rule_list.ts";

/**
 * Does to a conversation what the first rule says whose matcher has `tcp()` in it and accepts it; where there is none, what
 * `defaultAction` says. There is nothing to answer or to edit, so that is `"forward"` or `"drop"`; a default action of another kind is
 * for HTTP.
 *
 * @throws {FlowtapeError} the rule's action is of another kind, or its matcher threw
 */
export function decideTcp(flow: TcpFlow, { rules, fallback }: RuleList): void {
  if (flow.error !== undefined) return;
  for (const rule of rules) {
    if (take(rule, flow)) return;
  }
  fallback.take()?.tcp?.(flow);
}

function take(rule: Rule, flow: TcpFlow): boolean {
  try {
    const work = rule.attemptTcp?.(flow);
    if (work === undefined) return false;
    rule.calls?.append(flow);
    if (work.tcp === undefined) {
      throw new FlowtapeError(
        "RULE_FAILED",
        `the action cannot be done to a raw conversation: "forward" and "drop" can, and tcpStart and tcpMessage hooks do the rest`,
      );
    }
    work.tcp(flow);
    return true;
  } catch (cause) {
    throw ruleError(rule, cause);
  }
}
