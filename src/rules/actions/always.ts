/**
 * The action `always()`.
 *
 * @module
 */
import { type Action, type ActionFunction, defineAction } from "../action.ts";
import { planOf } from "../plan.ts";

/**
 * Does something to every flow, for ever: what would be used up begins anew. So it repeats what is counted, and in a
 * {@linkcode sequence} nothing behind it has its turn.
 *
 * @example A server of which every third answer fails
 * ```ts
 * import { always, once, respond, sequence, startProxy, times } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["/status", always(sequence(times(2, respond({ status: 200 })), once(respond({ status: 503 }))))],
 *   ],
 * });
 * ```
 */
export function always(action: Action): ActionFunction {
  return defineAction(() => {
    const plan = () => planOf(action, "always()");
    let current = plan();
    return {
      description: `always ${current.description}`,
      counts: true,
      take() {
        const work = current.take();
        if (work !== undefined) return work;
        const fresh = plan();
        const first = fresh.take();
        // What is not to be had now, because of a scenario, goes on where it was.
        if (first !== undefined) current = fresh;
        return first;
      },
    };
  });
}
