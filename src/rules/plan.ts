/**
 * From an action, in whatever form it was given, to its plan.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { describeFunction, describeValue } from "../flow/matcher/describe.ts";
import { FlowResponse } from "../flow/response.ts";
import { didYouMean } from "../flow/suggest.ts";
import { type Action, type ActionFunction, type BuiltInAction, constantPlan, PLAN, type Plan } from "./action.ts";
import { drop } from "./actions/drop.ts";
import { addonPlan, isAddon } from "./addon_plan.ts";
import { forward } from "./actions/forward.ts";
import { ask } from "./ask/ask.ts";
import { isResponse, isThenable } from "./check.ts";

const NAMED: Readonly<Record<string, ActionFunction>> = { forward, drop, ask: ask() };

/**
 * The plan of an action, with counters that nobody else has.
 *
 * @param where the place of the action, such as `rules[2]`
 * @param options `tunnels`: whether the action may have to do with a CONNECT; within other actions it may not
 * @throws {OptionsError} when it is no action
 */
export function planOf(action: Action, where: string, { tunnels = false }: { readonly tunnels?: boolean } = {}): Plan {
  const known = typeof action === "string" && Object.hasOwn(NAMED, action) ? NAMED[action]! : action;
  if (isAddon(known)) return addonPlan(known, where);
  if (typeof known !== "function") throw new OptionsError(`${where}: ${complaint(known)}`);
  const plan = (known as Partial<BuiltInAction>)[PLAN];
  const made = plan === undefined ? functionPlan(known) : plan();
  if (made.takeConnect === undefined || tunnels) return made;
  throw new OptionsError(
    `${where}: "connect" of ask() is about tunnels, which other actions are not: make it the action of a rule of its own, or the defaultAction`,
  );
}

/** A function of a user may look at anything, so the request is complete when it is called. */
function functionPlan(action: ActionFunction): Plan {
  const name = action.description ?? describeFunction(action);
  return constantPlan(name, {
    needsBody: true,
    run(flow: HttpFlow) {
      const result: unknown = action(flow);
      return isThenable(result) ? Promise.resolve(result).then(checkResult) : checkResult(result);
    },
  });
}

function checkResult(result: unknown): void {
  if (isResponse(result) || result instanceof FlowResponse) {
    throw new OptionsError(
      `the action returned a ${result.constructor.name}, which an action function cannot: ` +
        "wrap the function in respond(), or set flow.response",
    );
  }
  if (result === "drop" || result === "ask" || typeof result === "function") {
    const name = (result as Partial<ActionFunction>).description ?? describeValue(result);
    throw new OptionsError(
      `the action returned another action, ${name}, which does nothing: call that with the flow, as in ` +
        "drop(flow) and respond({ status: 402 })(flow), or make it a rule of its own",
    );
  }
}

function complaint(action: unknown): string {
  const accepted =
    `"forward", "drop", "ask", respond(), edit(), rewrite(), delay(), sequence(), times(), steps(), an addon or a function of the flow`;
  if (typeof action === "string") {
    return `the action ${JSON.stringify(action)} is not known${didYouMean(action, Object.keys(NAMED))} ` +
      `(accepted are ${accepted})`;
  }
  if (isResponse(action)) {
    return `the action is a Response, which respond(() => ...) can return (accepted are ${accepted})`;
  }
  const hint = isResponseLike(action) ? ", which respond() takes" : "";
  return `the action is ${describeValue(action)}${hint} (accepted are ${accepted})`;
}

function isResponseLike(value: unknown): boolean {
  return typeof value === "object" && value !== null && ["status", "json", "body", "file"].some((key) => key in value);
}
