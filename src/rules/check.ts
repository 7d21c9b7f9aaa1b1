/**
 * Checks of what users write into rules, at the time they write it.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { didYouMean } from "../flow/suggest.ts";

/**
 * Refuses what is not an object with some of the known keys.
 *
 * @param where what it is, such as `respond()`
 */
export function checkObject(value: unknown, known: readonly string[], where: string): asserts value is object {
  const several = /^the (?:options|settings) /.test(where);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new OptionsError(
      `${where} ${several ? "are" : "takes"} an object with ${known.join(", ")}, not ${describeValue(value)}`,
    );
  }
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    throw new OptionsError(
      `${where} ${several ? "do" : "does"} not know ${JSON.stringify(key)}${didYouMean(key, known)} (accepted are ${
        known.join(", ")
      })`,
    );
  }
}

/** Refuses an object that gives more than one of these keys: they mean the same thing. */
export function checkOneOf(value: object, keys: readonly string[], where: string): void {
  const given = keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined);
  if (given.length > 1) throw new OptionsError(`${where} takes one of ${given.join(" and ")}, not both`);
}

/** Refuses a reason phrase that would split the head (RFC 9112 section 4). */
export function checkReason(reason: unknown, where: string): void {
  if (reason === undefined || typeof reason === "string" && /^[\t\x20-\x7e\x80-\xff]*$/.test(reason)) return;
  throw new OptionsError(`the reason of ${where} cannot be sent: ${describeValue(reason)}`);
}

/** Whether there is something to wait for. Promises may come from another realm: test runners have several. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}

/** Whether a value is a platform `Response`, of whatever realm. */
export function isResponse(value: unknown): value is Response {
  return Object.prototype.toString.call(value) === "[object Response]";
}
