/**
 * The action `steps()`.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { type Action, type ActionFunction, defineAction, type Work } from "../action.ts";
import { isThenable } from "../check.ts";
import { planOf } from "../plan.ts";

/**
 * Does several things to the same flow, in this order; once one of them has answered the flow or ended it, those behind it are left out.
 * ({@linkcode sequence} does one thing to each flow.) A step that is used up is left out; when all are, the rule matches no more.
 *
 * @example
 * ```ts
 * import { edit, rewrite, startProxy, steps } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["https://api.test/*", steps(edit({ request: { headers: { "x-test": "1" } } }), rewrite("http://127.0.0.1:4000"))],
 *   ],
 * });
 * ```
 */
export function steps(...actions: Action[]): ActionFunction {
  if (actions.length === 0) throw new OptionsError("steps() takes at least one action");
  return defineAction(() => {
    const plans = actions.map((action, i) => planOf(action, `steps() argument ${i + 1}`));
    return {
      description: plans.map((plan) => plan.description).join(", then "),
      take() {
        const works = plans.map((plan) => plan.take()).filter((work) => work !== undefined);
        return works.length === 0 ? undefined : new Steps(works);
      },
    };
  });
}

class Steps implements Work {
  readonly needsBody: boolean;
  readonly #works: readonly Work[];
  // Kept, because a step that has to wait for the body makes the whole start again.
  #at = 0;

  constructor(works: readonly Work[]) {
    this.#works = works;
    this.needsBody = works.some((work) => work.needsBody);
  }

  run(flow: HttpFlow): void | Promise<void> {
    for (; this.#at < this.#works.length; this.#at++) {
      if (flow.response !== undefined || flow.error !== undefined) return;
      const result = this.#works[this.#at]!.run(flow);
      if (!isThenable(result)) continue;
      this.#at++;
      return Promise.resolve(result).then(() => this.run(flow));
    }
  }
}
