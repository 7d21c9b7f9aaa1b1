/**
 * Matchers for `expect.extend` of vitest, jest, Bun and @std/expect.
 *
 * @module
 */
import type { Matcher } from "../flow/matcher/types.ts";
import type { Check } from "./check.ts";
import { checkReceived } from "./check_received.ts";
import { checkNoUnmatched } from "./check_unmatched.ts";
import type { ReceivingProxy, Source } from "./source.ts";
import { type ReceivedOptions, timesOf } from "./times.ts";

/** What `expect(proxy)` can do with the {@linkcode matchers}; `.not` turns each around. */
export interface FlowtapeMatchers<Result = void> {
  /** Requests that match were received: at least once, or `times`. */
  toHaveReceived(matcher: Matcher, options?: ReceivedOptions): Result;
  /** Requests that match were received exactly so many times. */
  toHaveReceivedTimes(matcher: Matcher, times: number): Result;
  /** The tape matched every request. */
  toHaveNoUnmatched(): Result;
}

/** What @std/expect gives a matcher in place of the value itself. */
export interface StdContext<T> {
  /** What `expect` was given. */
  readonly value: T;
  /** Whether the matcher was called through `.not`. */
  readonly isNot: boolean;
}

// A type and not an interface: only a type fits where a runner wants functions under any name.
/** {@linkcode FlowtapeMatchers} as `expect.extend` takes them: what `expect` was given comes first. */
export type MatcherFunctions = {
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveReceived(given: Source | StdContext<Source>, matcher: Matcher, options?: ReceivedOptions): Check;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveReceivedTimes(given: Source | StdContext<Source>, matcher: Matcher, times: number): Check;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveNoUnmatched(given: UnmatchedSource | StdContext<UnmatchedSource>): Check;
};

/**
 * Matchers for a proxy or a `FlowSet`: give them to the `expect.extend` of your test runner. `flowtape/vitest` has done so.
 *
 * @example
 * ```ts
 * import { FlowSet, matchers } from "flowtape";
 *
 * const { pass } = matchers.toHaveReceived(new FlowSet(), "POST /orders"); // false
 * ```
 */
export const matchers: MatcherFunctions = {
  toHaveReceived: (given, matcher, options = {}) => checkReceived(valueOf(given), matcher, timesOf(options)),
  toHaveReceivedTimes: (given, matcher, times) => checkReceived(valueOf(given), matcher, times),
  toHaveNoUnmatched: (given) => checkNoUnmatched(valueOf(given)),
};

/** What knows of unmatched requests: a proxy. */
export type UnmatchedSource = Pick<ReceivingProxy, "unmatched">;

function valueOf<T extends object>(given: T | StdContext<T>): T {
  const isContext = typeof given === "object" && given !== null && "value" in given && "isNot" in given;
  return isContext ? given.value : given as T;
}
