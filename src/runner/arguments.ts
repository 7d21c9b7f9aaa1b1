/**
 * The arguments of a function that defines a test.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";

/**
 * Reads `(name, body)` and `(name, options, body)`.
 *
 * @throws {OptionsError} there is no name, or no body
 */
export function readArguments<Options extends object, Body extends (...args: never[]) => unknown>(
  name: string,
  second: Options | Body,
  third: Body | undefined,
): { options: Partial<Options>; body: Body } {
  if (typeof name !== "string") throw new OptionsError(`the name of a test is a string, not ${typeof name}`);
  const [options, body] = typeof second === "function" ? [{}, second] : [second ?? {}, third];
  if (typeof body !== "function") {
    throw new OptionsError(`the test ${JSON.stringify(name)} has no function: proxyTest(name, [options], function)`);
  }
  return { options, body };
}
