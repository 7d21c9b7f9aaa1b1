/**
 * What addons that change messages have in common: which of the two messages they change.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { checkObject } from "../rules/check.ts";

/**
 * Refuses what has neither a request nor a response.
 *
 * @param where for errors, such as `modifyHeaders()`
 */
export function checkSides(given: unknown, where: string): asserts given is { request?: unknown; response?: unknown } {
  checkObject(given, ["request", "response"], where);
  const { request, response } = given as { request?: unknown; response?: unknown };
  if (request === undefined && response === undefined) {
    throw new OptionsError(`${where} takes what to change in the request, in the response, or in both`);
  }
}
