/**
 * Addons in a chain of hooks, without sockets.
 *
 * @module
 */
import type { HttpFlow } from "../../src/flow/http_flow.ts";
import type { Addon } from "../../src/hooks/addon.ts";
import { RuleEngine } from "../../src/rules/mod.ts";
import { newFlow, pass, type Passed, type Sent } from "../rules/pass.ts";

export interface Form {
  readonly name: string;
  /** Sends a flow through. */
  send(sent?: Sent, flow?: HttpFlow): Promise<Passed>;
}

/** An addon in its two forms: among the addons, in front of rules that have nothing to say; and as the action of a rule. */
export function bothForms(addon: Addon): Form[] {
  const empty = new RuleEngine();
  const rule = new RuleEngine({ rules: [[() => true, addon]] });
  return [
    {
      name: "addon",
      send: (sent = {}, flow = newFlow(sent)) => pass(empty, { ...sent, addons: { before: [addon] } }, flow),
    },
    { name: "action", send: (sent = {}, flow = newFlow(sent)) => pass(rule, sent, flow) },
  ];
}
