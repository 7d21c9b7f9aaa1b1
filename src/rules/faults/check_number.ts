/**
 * Checks of numbers in the options of actions.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { describeValue } from "../../flow/matcher/describe.ts";

/** Timers of every runtime count with 31 bits, and fire at once when they are given more. */
export const MAX_MS: number = 2 ** 31 - 1;

/** What a number may be. */
export interface NumberRange {
  readonly min: number;
  readonly max?: number;
  readonly whole?: true;
  /** The least is not one of them. */
  readonly above?: true;
}

/**
 * Refuses what is not a number in a range.
 *
 * @param where what it is, such as `option bytes of fault("limit")`
 */
export function checkNumber(value: unknown, where: string, { min, max = Infinity, whole, above }: NumberRange): void {
  const fits = typeof value === "number" && value >= min && value <= max && (!above || value > min);
  if (fits && Number.isFinite(value) && (!whole || Number.isInteger(value))) return;
  const range = min === -Infinity && max === Infinity
    ? ""
    : above
    ? `above ${min}`
    : max === Infinity
    ? `of ${min} or more`
    : `from ${min} to ${max}`;
  const number = `a ${whole ? "whole " : ""}number ${range}`.trimEnd();
  throw new OptionsError(`${where} is ${describeValue(value)}: ${number} is accepted`);
}

/** Milliseconds. */
export const TIME: NumberRange = { min: 0, max: MAX_MS };
