/**
 * How often something is wanted.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { didYouMean } from "../flow/suggest.ts";
import { type Check as OptionCheck, MAX_MS, shape, whole } from "../options/schema.ts";

/** So many times, or a range. */
export type Times = number | {
  /** No fewer than this; 0 by default. */
  atLeast?: number;
  /** No more than this; no limit by default. */
  atMost?: number;
};

/** What an assertion that something was received takes. */
export interface ReceivedOptions extends WithinOptions {
  /** How often: a number, or `{ atLeast, atMost }`. At least once by default. */
  times?: Times;
}

/** How long an assertion waits. */
export interface WithinOptions {
  /**
   * Milliseconds. With it, the assertion is a promise that resolves as soon as it holds, or fails when the time is up. Where there is
   * nothing to wait for, as no request or at most 2 are wanted, it goes on looking for the whole time. Without it, it holds now or fails.
   */
  within?: number;
}

/**
 * Checks the options of an assertion.
 *
 * @param members those that it takes
 * @throws {OptionsError} names the option that is not accepted
 */
export function checkOptions(options: unknown, members: Readonly<Record<string, OptionCheck>>): void {
  if (typeof options === "number" && "times" in members) {
    throw new OptionsError(`the options are ${options}: { times: ${options} } is accepted`);
  }
  shape(members)(options, "");
}

/** How long an assertion may wait. */
export const within: OptionCheck = whole(0, MAX_MS);

/** How often something is wanted. */
export const times: OptionCheck = (value) => void rangeOf(value as Times);

/** A range with words. */
export interface Range {
  /** No fewer than this. */
  readonly atLeast: number;
  /** No more than this. */
  readonly atMost: number;
  /** Such as `at least 1 request`. */
  readonly text: string;
}

/**
 * Reads {@linkcode Times}; at least once when there is none.
 *
 * @param noun what is counted
 * @throws {OptionsError} it is neither a number nor a range
 */
export function rangeOf(times: Times = { atLeast: 1 }, noun: string = "request"): Range {
  const { atLeast = 0, atMost = Infinity } = typeof times === "number"
    ? { atLeast: times, atMost: times }
    : checked(times);
  if (!isCount(atLeast) || !(isCount(atMost) || atMost === Infinity) || atLeast > atMost) {
    throw new OptionsError(
      `times ${
        JSON.stringify(times)
      } is not valid: a whole number or { atLeast, atMost } with atLeast <= atMost is accepted`,
    );
  }
  return { atLeast, atMost, text: words(atLeast, atMost, noun) };
}

/** `no request`, `1 request`, `2 requests`. */
export function countOf(count: number, noun: string = "request"): string {
  return count === 0 ? `no ${noun}` : count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** What would be the opposite of a range: `no request` of `at least 1 request`. */
export function oppositeOf({ atLeast, atMost, text }: Range, noun: string = "request"): string {
  if (atLeast === 1 && atMost === Infinity) return `no ${noun}`;
  return atLeast === 0 && atMost === 0 ? `at least 1 ${noun}` : `anything but ${text}`;
}

function words(atLeast: number, atMost: number, noun: string): string {
  if (atLeast === atMost) return atLeast === 0 ? `no ${noun}` : `exactly ${countOf(atLeast, noun)}`;
  if (atMost === Infinity) return atLeast === 0 ? `any number of ${noun}s` : `at least ${countOf(atLeast, noun)}`;
  return atLeast === 0 ? `at most ${countOf(atMost, noun)}` : `${atLeast} to ${countOf(atMost, noun)}`;
}

function checked(times: Exclude<Times, number>): Exclude<Times, number> {
  const known = ["atLeast", "atMost"];
  for (const key of Object.keys(times)) {
    if (!known.includes(key)) {
      throw new OptionsError(`times.${key} is not an option: atLeast and atMost are${didYouMean(key, known)}`);
    }
  }
  return times;
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0;
}
