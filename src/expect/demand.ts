/**
 * From the outcome of a check to an error.
 *
 * @module
 */
import { AssertionError } from "node:assert";
import type { Check } from "./check.ts";
import { eventually } from "./eventually.ts";

/** An assertion that was called: it is left out of the stack, so that the first line of that is the test's own. */
type AssertionFunction = { (...args: never[]): unknown; readonly name: string };

/**
 * Throws when the outcome is not what is wanted; a promise that rejects when there is a time in which it may become so.
 *
 * @param wanted what is wanted: that it holds, or that it does not
 */
export function demand(
  assertion: AssertionFunction,
  within: number | undefined,
  look: () => Check,
  wanted: "holds" | "fails" = "holds",
): Promise<void> | void {
  const judge = (check: Check) => {
    if (check.pass === (wanted === "holds")) return;
    const { actual, expected } = check.details();
    const error = new AssertionError({
      message: check.message(),
      actual,
      expected,
      operator: assertion.name,
      stackStartFn: assertion as () => void,
    });
    // The message shows the difference already: vitest need not print another one.
    Object.defineProperty(error, "showDiff", { value: false, enumerable: false });
    throw error;
  };
  if (within === undefined) return judge(look());
  return eventually(within, look).then(judge);
}
