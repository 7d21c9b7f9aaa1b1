/**
 * A series of responses.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import type { Addon } from "../hooks/addon.ts";
import { always } from "../rules/actions/always.ts";
import { respond, type Responder } from "../rules/actions/respond.ts";
import type { Respond } from "../rules/actions/response_shape.ts";
import { sequence } from "../rules/actions/sequence.ts";
import { once } from "../rules/actions/times.ts";
import { checkObject } from "../rules/check.ts";
import { planOf } from "../rules/plan.ts";
import { Waiting } from "./waiting.ts";

/** How {@linkcode responses} goes on behind the last one. */
export interface ResponsesOptions {
  /** `"repeat"` (the default): the last one for all further flows; `"loop"`: from the start; `"forward"`: flows pass as if nothing were there. */
  afterLast?: "repeat" | "loop" | "forward";
}

/**
 * Answers flows with one response after the other. Each is what `respond()` takes: an object, or a function.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { responses } from "flowtape/addons";
 *
 * await using proxy = await startProxy({
 *   rules: [
 *     ["http://api.test/job", responses([{ status: 202 }, { status: 202 }, { json: { state: "done" } }])],
 *   ],
 * });
 * ```
 */
export function responses(list: readonly (Respond | Responder)[], options: ResponsesOptions = {}): Addon {
  if (!Array.isArray(list) || list.length === 0) {
    throw new OptionsError(`responses() takes an array of at least one response, not ${describeValue(list)}`);
  }
  checkObject(options, ["afterLast"], "the options of responses()");
  const { afterLast = "repeat" } = options as ResponsesOptions;
  const actions = list.map((response: Respond | Responder, i) => {
    try {
      return respond(response);
    } catch (cause) {
      throw cause instanceof OptionsError ? new OptionsError(`responses()[${i}]: ${cause.message}`) : cause;
    }
  });
  const last = actions.pop()!;
  const compose = {
    repeat: () => sequence(...actions, last),
    loop: () => always(sequence(...actions, once(last))),
    forward: () => sequence(...actions, once(last)),
  };
  if (!Object.hasOwn(compose, afterLast)) {
    throw new OptionsError(
      `afterLast of responses() is ${describeValue(afterLast)}: "repeat", "loop" or "forward" is accepted`,
    );
  }
  const plan = planOf(compose[afterLast](), "responses()");
  const waiting = new Waiting();
  return {
    name: "responses",
    requestHeaders(flow) {
      if (flow.response !== undefined || flow.error !== undefined) return;
      const work = plan.take();
      return work?.needsBody ? waiting.whenComplete(flow, () => work.run(flow)) : work?.run(flow);
    },
    request: (flow) => waiting.decide(flow),
    needs: (hook: "request" | "response", flow: HttpFlow) => hook === "request" && waiting.has(flow),
  };
}
