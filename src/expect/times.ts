/**
 * How often something is wanted.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { didYouMean } from "../flow/suggest.ts";

/** So many times, or a range. */
export type Times = number | {
  /** No fewer than this; 0 by default. */
  atLeast?: number;
  /** No more than this; no limit by default. */
  atMost?: number;
};

/** What an assertion that something was received takes. */
export interface ReceivedOptions {
  /** How often: a number, or `{ atLeast, atMost }`. At least once by default. */
  times?: Times;
}

/**
 * How often something is wanted, as the options say.
 *
 * @throws {OptionsError} names the option that is not known
 */
export function timesOf(options: ReceivedOptions): Times | undefined {
  if (typeof options !== "object" || options === null) {
    throw new OptionsError(
      `the options are ${describeValue(options)}: { times: ${describeValue(options)} } is accepted`,
    );
  }
  for (const key of Object.keys(options)) {
    if (key !== "times") {
      throw new OptionsError(`option ${key} is not known${didYouMean(key, ["times"])} (times is accepted)`);
    }
  }
  return options.times;
}

/** A range with words. */
export interface Range {
  /** No fewer than this. */
  readonly atLeast: number;
  /** No more than this. */
  readonly atMost: number;
  /** Such as `at least 1 request`. */
  readonly text: string;
}

/** Reads {@linkcode Times}; at least once when there is none. */
export function rangeOf(times: Times = { atLeast: 1 }): Range {
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
  return { atLeast, atMost, text: words(atLeast, atMost) };
}

/** `no request`, `1 request`, `2 requests`. */
export function requests(count: number): string {
  return count === 0 ? "no request" : count === 1 ? "1 request" : `${count} requests`;
}

function words(atLeast: number, atMost: number): string {
  if (atLeast === atMost) return atLeast === 0 ? "no request" : `exactly ${requests(atLeast)}`;
  if (atMost === Infinity) return atLeast === 0 ? "any number of requests" : `at least ${requests(atLeast)}`;
  return atLeast === 0 ? `at most ${requests(atMost)}` : `${atLeast} to ${requests(atMost)}`;
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
