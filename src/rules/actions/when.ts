/**
 * The action `when()`.
 *
 * @module
 */
import { compile } from "../../flow/matcher/compile.ts";
import type { Matcher } from "../../flow/matcher/types.ts";
import { BodyIncompleteError } from "../../flow/message.ts";
import { type Action, type ActionFunction, defineAction, type Plan, type Work } from "../action.ts";
import { planOf } from "../plan.ts";

/**
 * Does one thing to flows that match, and another to those that do not. Two rules do the same; this is for what stands within another
 * action. A branch that is used up does nothing.
 *
 * @param matcher in any of its forms
 * @param action what is done to flows that match
 * @param otherwise what is done to the others; `"forward"` by default
 *
 * @example A server that is slow, and for some a little broken
 * ```ts
 * import { delay, respond, startProxy, when } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["https://api.test/*", delay(50, when({ headers: { "x-client": "beta" } }, respond({ status: 503 })))],
 *   ],
 * });
 * ```
 */
export function when(matcher: Matcher, action: Action, otherwise: Action = "forward"): ActionFunction {
  const compiled = compile(matcher, "the matcher of when()");
  return defineAction(() => {
    const yes = planOf(action, "when() argument 2");
    const no = planOf(otherwise, "when() argument 3");
    return {
      description: `when ${compiled.description}: ${yes.description}, else ${no.description}`,
      take(): Work {
        let plan: Plan | undefined;
        let work: Work | undefined;
        return {
          needsBody: false,
          run(flow) {
            // What throws because the body is not there is run again when it is: a branch must not be taken twice.
            if (plan === undefined) {
              plan = compiled.matches(flow) ? yes : no;
              work = plan.take();
            }
            if (work?.needsBody && !flow.request.content.complete) throw new BodyIncompleteError("request");
            return work?.run(flow);
          },
        };
      },
    };
  });
}
