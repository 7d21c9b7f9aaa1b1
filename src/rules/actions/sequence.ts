/**
 * The action `sequence()`.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { type Action, type ActionFunction, defineAction } from "../action.ts";
import { planOf } from "../plan.ts";

/**
 * Does one thing after the other: the first flow gets the first action, the second the second, and all further ones the
 * last. `times(n, action)` in it takes n flows; when it is the last, the rule matches no more after that.
 *
 * @example A job that is done at the third look
 * ```ts
 * import { respond, sequence, startProxy, times } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["/jobs/1", sequence(times(2, respond({ json: { state: "running" } })), respond({ json: { state: "done" } }))],
 *   ],
 * });
 * ```
 */
export function sequence(...actions: Action[]): ActionFunction {
  if (actions.length === 0) throw new OptionsError("sequence() takes at least one action");
  return defineAction(() => {
    const plans = actions.map((action, i) => planOf(action, `sequence() argument ${i + 1}`));
    let at = 0;
    return {
      description: `sequence(${plans.map((plan) => plan.description).join(", ")})`,
      counts: plans.at(-1)!.counts ?? false,
      take() {
        for (;; at++) {
          const plan = plans[at]!;
          const work = plan.take();
          const last = at === plans.length - 1;
          if (work === undefined && !last) continue;
          if (work !== undefined && plan.counts !== true && !last) at++;
          return work;
        }
      },
    };
  });
}
