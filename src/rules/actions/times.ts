/**
 * The action `times()`.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { type Action, type ActionFunction, defineAction } from "../action.ts";
import { planOf } from "../plan.ts";

/**
 * Does something to the first flows that the rule matches; after that the rule matches no more, and the rules below it
 * have their turn. In a {@linkcode sequence} the next action has its turn.
 *
 * @param n how many flows
 * @param action what is done to them
 *
 * @example A server that fails twice, then works
 * ```ts
 * import { respond, startProxy, times } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["GET https://api.test/health", times(2, respond({ status: 503 }))],
 *     ["GET https://api.test/health", respond({ json: { ok: true } })],
 *   ],
 * });
 * ```
 */
export function times(n: number, action: Action): ActionFunction {
  if (!Number.isInteger(n) || n < 1) {
    throw new OptionsError(`times() takes a whole number from 1 as its first argument, not ${describeValue(n)}`);
  }
  return counted(n, action, "times()");
}

function counted(n: number, action: Action, where: string): ActionFunction {
  return defineAction(() => {
    const plan = planOf(action, where);
    let left = n;
    return {
      description: n === 1 ? `once ${plan.description}` : `${n} times ${plan.description}`,
      counts: true,
      take() {
        if (left === 0) return undefined;
        left--;
        return plan.take();
      },
    };
  });
}

/**
 * Does something to the first flow that the rule matches: {@linkcode times} with 1.
 *
 * @example
 * ```ts
 * import { once, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["/login", once(respond({ status: 503 }))]] });
 * ```
 */
export function once(action: Action): ActionFunction {
  return counted(1, action, "once()");
}
