/**
 * From the outcome of a check to an error.
 *
 * @module
 */
import { AssertionError } from "node:assert";
import type { Check } from "./check.ts";
import { eventually } from "./eventually.ts";

/** An assertion that was called: it is left out of the stack, so that the first line of that is the test's own. */
type Assertion = { (...args: never[]): unknown; readonly name: string };

/**
 * Throws when the outcome is not what is wanted; a promise that rejects when there is a time in which it may become so.
 *
 * @param within milliseconds; `undefined`: it is judged now
 */
export function demand(assertion: Assertion, within: number | undefined, look: () => Check): Promise<void> | void {
  if (within === undefined) return judge(assertion, look(), () => stackOf(assertion));
  // When the time is up, nobody on the stack knows any more who has asked.
  const frames = stackOf(assertion);
  return eventually(within, look).then((check) => judge(assertion, check, () => frames));
}

function judge(assertion: Assertion, check: Check, frames: () => string): void {
  if (check.pass) return;
  const { actual, expected } = check.details();
  const message = check.message();
  const error = new AssertionError({ message, actual, expected, operator: assertion.name });
  error.stack = `${error.name}: ${message}\n${frames()}`;
  // The message shows the difference already: vitest need not print another one, nor what Node calls its own.
  Object.defineProperty(error, "showDiff", { value: false, enumerable: false });
  delete (error as { diff?: string }).diff;
  throw error;
}

/** The lines of the stack above an assertion. */
function stackOf(assertion: Assertion): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, assertion);
  const lines = linesOf(holder.stack);
  // On Bun a call whose result is returned leaves the stack: then the assertion is not there, and nothing is above it.
  return (lines.length > 0 ? lines : linesOf(new Error().stack).slice(2)).join("\n");
}

function linesOf(stack = ""): string[] {
  return stack.split("\n").filter((line) => /^\s+at /.test(line));
}
