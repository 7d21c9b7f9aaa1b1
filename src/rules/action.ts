/**
 * What a rule does with a flow, and how the engine is told when it can be done.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import type { Addon } from "../hooks/addon.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";

/** An action as a function: it may edit the flow, set `flow.response` to answer it, or `flow.error` to end it. */
export type ActionFunction = ((flow: HttpFlow) => void | Promise<void>) & {
  /** One line for errors and reports. */
  readonly description?: string;
};

/**
 * What a rule does:
 *
 * - `"forward"`: nothing; the flow goes on to the tape or to the server
 * - `"drop"`: the client's connection is cut
 * - `"ask"`: a breakpoint; the flow waits until the test has decided: see `ask()`
 * - a built-in: `respond()`, `edit()`, `rewrite()`, `delay()`, `sequence()`, `times()`, `steps()`, `scenario()`...
 * - an addon, whose hooks are called for the flows that the rule takes
 * - a function of the flow, called once the request is complete
 */
export type Action = "forward" | "drop" | "ask" | ActionFunction | Addon;

/** What one action does to one flow. */
export interface Work {
  /** Whether it can only be done once the whole request is there. */
  readonly needsBody: boolean;
  /** Does it. */
  run(flow: HttpFlow): void | Promise<void>;
  /** Does it to a raw conversation that begins. None: that makes no sense. */
  tcp?(flow: TcpFlow): void | Promise<void>;
}

/** An action in one place of one list of rules: with counters of its own, where it counts. */
export interface Plan {
  /** One line for errors and reports. */
  readonly description: string;
  /** Whether it decides by itself when it is used up; any other action of a sequence is used once. */
  readonly counts?: boolean;
  /** What {@linkcode Plan.take} gives to every flow, when that is always the same. */
  readonly constant?: Work;
  /** What to do with the next flow; `undefined` when it is used up and the next rule shall have the flow. */
  take(): Work | undefined;
  /** The same for a CONNECT. A plan without it has nothing to do with tunnels. */
  takeConnect?(): Work | undefined;
}

/** The key under which a built-in action says how it is planned. */
export const PLAN: unique symbol = Symbol("flowtape.plan");

/** An action of this package. It can also be called, from within an action function. */
export type BuiltInAction = ActionFunction & { readonly description: string; readonly [PLAN]: () => Plan };

/**
 * Makes an action from its plan.
 *
 * @param plan is called for every place the action is used in, so that places do not share counters
 */
export function defineAction(plan: () => Plan): BuiltInAction {
  const called = plan();
  const action = (flow: HttpFlow): void | Promise<void> => called.take()?.run(flow);
  return Object.assign(action, { description: called.description, [PLAN]: plan });
}

/** The plan of an action that does the same to every flow. */
export function constantPlan(description: string, work: Work): Plan {
  return new ConstantPlan(description, work);
}

class ConstantPlan implements Plan {
  readonly description: string;
  readonly constant: Work;

  constructor(description: string, work: Work) {
    this.description = description;
    this.constant = work;
  }

  take(): Work {
    return this.constant;
  }
}
