/**
 * A matcher from a function of the flow.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import type { HttpFlow } from "../http_flow.ts";
import { describeFunction } from "./describe.ts";
import { field, fromFields } from "./field.ts";
import type { CompiledMatcher } from "./types.ts";

/** Compiles a predicate. What it throws is thrown by `matches`. */
export function compilePredicate(predicate: (flow: HttpFlow) => boolean, where: string): CompiledMatcher {
  const description = describeFunction(predicate);
  const ask = (flow: HttpFlow): boolean => {
    const answer: unknown = predicate(flow);
    // A promise is truthy: the matcher would silently match everything.
    if (typeof answer === "object" && answer !== null && "then" in answer) {
      throw new OptionsError(`${where}: the function ${description} returned a promise: a matcher must answer at once`);
    }
    return Boolean(answer);
  };
  return fromFields(description, [
    field("function", description, (_, flow) => ask(flow), (_, flow) => String(ask(flow))),
  ]);
}
