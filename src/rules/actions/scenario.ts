/**
 * `scenario()`: actions that depend on a state, and change it.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { type Action, type ActionFunction, defineAction } from "../action.ts";
import { checkObject } from "../check.ts";
import { planOf } from "../plan.ts";
import { currentContext } from "../plan_context.ts";

/** What an action of a scenario does besides. */
export interface ScenarioStep {
  /** The state that the scenario is in from the moment on at which the action takes a flow. It stays as it is by default. */
  willSetState?: string;
}

/** A scenario by its name. Each proxy has its own state of it. */
export interface Scenario {
  /** Its name. */
  readonly name: string;
  /** Does something when the scenario is in a state (or one of several); in others the rules below have their turn. */
  whenState(state: string | readonly string[], action: Action, step?: ScenarioStep): ActionFunction;
  /** Does something in whatever state: for the steps from one to the next. */
  inAnyState(action: Action, step?: ScenarioStep): ActionFunction;
}

/**
 * Rules that depend on what was asked before. A scenario begins in the state `"started"`; rules say in which state they match and which
 * state comes next. Scenarios of one name are one scenario within a proxy, and nothing to each other in two. `proxy.scenarios` shows and
 * sets the states, `proxy.reset()` sets them all back.
 *
 * @example
 * ```ts
 * import { respond, scenario, startProxy } from "flowtape";
 *
 * const cart = scenario("cart");
 * await using proxy = await startProxy({
 *   rules: [
 *     ["GET http://shop.test/cart", cart.whenState("started", respond({ json: [] }))],
 *     ["POST http://shop.test/cart", cart.inAnyState(respond({ status: 201 }), { willSetState: "filled" })],
 *     ["GET http://shop.test/cart", cart.whenState("filled", respond({ json: ["book"] }))],
 *   ],
 * });
 * await proxy.fetch("http://shop.test/cart", { method: "POST" });
 * await (await proxy.fetch("http://shop.test/cart")).json(); // ["book"]
 * proxy.scenarios.get("cart").state; // "filled"
 * ```
 *
 * @param name what `proxy.scenarios` and errors call it
 */
export function scenario(name: string): Scenario {
  if (typeof name !== "string" || name === "") {
    throw new OptionsError(`scenario() takes a name, not ${describeValue(name)}`);
  }
  return {
    name,
    whenState(state, action, step) {
      const where = `scenario(${JSON.stringify(name)}).whenState()`;
      const states = [state].flat() as readonly unknown[];
      if (states.length === 0) throw new OptionsError(`${where} takes at least one state`);
      states.forEach((one) => checkState(one, where));
      return scenarioAction(name, { states: states as string[], action, step, where });
    },
    inAnyState(action, step) {
      return scenarioAction(name, { action, step, where: `scenario(${JSON.stringify(name)}).inAnyState()` });
    },
  };
}

interface Parts {
  states?: readonly string[];
  action: Action;
  step: ScenarioStep | undefined;
  where: string;
}

function scenarioAction(name: string, { states, action, step = {}, where }: Parts): ActionFunction {
  checkObject(step, ["willSetState"], `the last argument of ${where}`);
  const { willSetState } = step as ScenarioStep;
  if (willSetState !== undefined) checkState(willSetState, `willSetState of ${where}`);
  return defineAction(() => {
    const current = currentContext().scenarios.ensure(name);
    current.know([...states ?? [], ...willSetState === undefined ? [] : [willSetState]]);
    const plan = planOf(action, where);
    return {
      description: `${plan.description} in scenario ${name}${states ? ` when ${states.join(" or ")}` : ""}`,
      counts: true,
      take() {
        if (states !== undefined && !states.includes(current.state)) return undefined;
        const work = plan.take();
        // At once, and not when the work is done: a flow that comes in the meantime is the next step.
        if (work !== undefined && willSetState !== undefined) current.state = willSetState;
        return work;
      },
    };
  });
}

function checkState(state: unknown, where: string): void {
  if (typeof state === "string" && state !== "") return;
  throw new OptionsError(`${where} takes the name of a state, not ${describeValue(state)}`);
}
