/**
 * Matchers for `expect.extend` of vitest, jest, Bun and @std/expect.
 *
 * @module
 */
import type { Matcher } from "../flow/matcher/types.ts";
import type { ReceivedOptions } from "./assertions.ts";
import type { Check } from "./check.ts";
import { checkReceived } from "./check_received.ts";
import { checkNoUnmatched } from "./check_unmatched.ts";
import type { ReceivingProxy, Source } from "./source.ts";

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
interface StdContext<T> {
  readonly value: T;
  readonly isNot: boolean;
}

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
export const matchers = {
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveReceived(given: Source | StdContext<Source>, matcher: Matcher, options: ReceivedOptions = {}): Check {
    return checkReceived(valueOf(given), matcher, options.times);
  },
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveReceivedTimes(given: Source | StdContext<Source>, matcher: Matcher, times: number): Check {
    return checkReceived(valueOf(given), matcher, times);
  },
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveNoUnmatched(given: UnmatchedSource | StdContext<UnmatchedSource>): Check {
    return checkNoUnmatched(valueOf(given));
  },
};

type UnmatchedSource = Pick<ReceivingProxy, "unmatched">;

function valueOf<T extends object>(given: T | StdContext<T>): T {
  const isContext = typeof given === "object" && given !== null && "value" in given && "isNot" in given;
  return isContext ? given.value : given as T;
}
