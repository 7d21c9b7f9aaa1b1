/**
 * Checks of what is given for the parts of a message.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import { asAsymmetric } from "./asymmetric.ts";
import { describeValue, isRegExp } from "./describe.ts";
import { isSchema } from "./schema.ts";
import type { BodyMatcher, RecordMatcher } from "./types.ts";

/**
 * A record of names and values, or a schema for it.
 *
 * @throws {OptionsError} it is neither
 */
export function checkRecord(value: unknown, part: string, where: string): RecordMatcher {
  if ((typeof value === "object" && value !== null && !Array.isArray(value) && !isRegExp(value)) || isSchema(value)) {
    return value as RecordMatcher;
  }
  throw new OptionsError(
    `${where}: ${part} ${describeValue(value)} is not valid: an object of names and values, or a schema, is accepted`,
  );
}

/**
 * A body as a whole.
 *
 * @throws {OptionsError} it is none
 */
export function checkBody(value: unknown, where: string): BodyMatcher {
  const isPattern = isRegExp(value) || asAsymmetric(value) !== undefined;
  if (typeof value === "string" || value instanceof Uint8Array || isPattern) return value as BodyMatcher;
  throw new OptionsError(
    `${where}: body ${
      describeValue(value)
    } is not valid: text, bytes (Uint8Array) or a RegExp is accepted; an object ` +
      "goes into json or form",
  );
}
