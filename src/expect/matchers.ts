/**
 * Matchers for `expect.extend` of vitest, jest, Bun and @std/expect.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { Matcher, MessageMatcher } from "../flow/matcher/types.ts";
import type { Check } from "./check.ts";
import { checkReceivedInOrder } from "./check_order.ts";
import { checkSentMessage } from "./check_message.ts";
import { checkReceivedLast, checkReceivedNth } from "./check_place.ts";
import { checkReceived } from "./check_received.ts";
import { checkRequest } from "./check_request.ts";
import { checkResponded, type ResponseMatcher } from "./check_response.ts";
import { checkUsedWholeTape } from "./check_tape.ts";
import { checkNoUnmatched } from "./check_unmatched.ts";
import { eventually } from "./eventually.ts";
import type { GivenFlow, ReceivingProxy, Source } from "./source.ts";
import { checkOptions, type ReceivedOptions, type Times, times, within, type WithinOptions } from "./times.ts";

/**
 * What `expect(proxy)`, `expect(proxy.flows)` and `expect(flow)` can do with the {@linkcode matchers}; `.not` turns each around. With the
 * option `within` they are promises: `await expect(proxy).toHaveReceived("/orders", { within: 1000 })`.
 */
export interface FlowtapeMatchers<Result = void> {
  /** Requests that match were received: at least once, or `times`. */
  toHaveReceived(matcher: Matcher, options: ReceivedOptions & Required<WithinOptions>): Promise<Result>;
  /** The same, now. */
  toHaveReceived(matcher: Matcher, options?: ReceivedOptions): Result;
  /** Requests that match were received so many times: exactly, or `{ atLeast, atMost }`. */
  toHaveReceivedTimes(matcher: Matcher, times: Times, options: Required<WithinOptions>): Promise<Result>;
  /** The same, now. */
  toHaveReceivedTimes(matcher: Matcher, times: Times, options?: WithinOptions): Result;
  /** The request at a place matches: 1 is the first that was received. */
  toHaveReceivedNth(nth: number, matcher: Matcher, options: Required<WithinOptions>): Promise<Result>;
  /** The same, now. */
  toHaveReceivedNth(nth: number, matcher: Matcher, options?: WithinOptions): Result;
  /** The latest request matches. */
  toHaveReceivedLast(matcher: Matcher, options: Required<WithinOptions>): Promise<Result>;
  /** The same, now. */
  toHaveReceivedLast(matcher: Matcher, options?: WithinOptions): Result;
  /** A request for each matcher was received, one after the other; others may lie between them. */
  toHaveReceivedInOrder(matchers: readonly Matcher[], options: Required<WithinOptions>): Promise<Result>;
  /** The same, now. */
  toHaveReceivedInOrder(matchers: readonly Matcher[], options?: WithinOptions): Result;
  /** The tape matched every request. */
  toHaveNoUnmatched(): Result;
  /** Every entry of the tape was used. */
  toHaveUsedWholeTape(options: Required<WithinOptions>): Promise<Result>;
  /** The same, now. */
  toHaveUsedWholeTape(options?: WithinOptions): Result;
  /** This one flow is what the matcher is about. */
  toMatchRequest(matcher: Matcher, options: Required<WithinOptions>): Promise<Result>;
  /** The same, now. */
  toMatchRequest(matcher: Matcher, options?: WithinOptions): Result;
  /** This one flow was answered, and with a response like this: a status, or some parts. */
  toHaveResponded(response: ResponseMatcher | undefined, options: Required<WithinOptions>): Promise<Result>;
  /** The same, now. */
  toHaveResponded(response?: ResponseMatcher, options?: WithinOptions): Result;
  /**
   * Over this one WebSocket, or in this raw conversation, the client has sent a message that matches, or `times`; the server, with
   * `from: "server"`.
   */
  toHaveSentMessage(message: MessageMatcher, options: ReceivedOptions & Required<WithinOptions>): Promise<Result>;
  /** The same, now. */
  toHaveSentMessage(message: MessageMatcher, options?: ReceivedOptions): Result;
}

/** What @std/expect gives a matcher in place of the value itself. */
export interface StdContext<T> {
  /** What `expect` was given. */
  readonly value: T;
  /** Whether the matcher was called through `.not`. */
  readonly isNot: boolean;
}

/** What is given to a matcher. */
export type Given<T> = T | StdContext<T>;

/** The outcome, or a promise of it when the option `within` is given. */
export type Outcome = Check | Promise<Check>;

/** What knows of unmatched requests: a proxy. */
export type UnmatchedSource = Pick<ReceivingProxy, "unmatched">;

/** What knows of unused entries: a proxy. */
export type UnusedSource = Pick<ReceivingProxy, "unused">;

// A type and not an interface: only a type fits where a runner wants functions under any name.
/** {@linkcode FlowtapeMatchers} as `expect.extend` takes them: what `expect` was given comes first. */
export type MatcherFunctions = {
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveReceived(given: Given<Source>, matcher: Matcher, options?: ReceivedOptions): Outcome;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveReceivedTimes(given: Given<Source>, matcher: Matcher, times: Times, options?: WithinOptions): Outcome;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveReceivedNth(given: Given<Source>, nth: number, matcher: Matcher, options?: WithinOptions): Outcome;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveReceivedLast(given: Given<Source>, matcher: Matcher, options?: WithinOptions): Outcome;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveReceivedInOrder(given: Given<Source>, matchers: readonly Matcher[], options?: WithinOptions): Outcome;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveNoUnmatched(given: Given<UnmatchedSource>): Check;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveUsedWholeTape(given: Given<UnusedSource>, options?: WithinOptions): Outcome;
  /** See {@linkcode FlowtapeMatchers}. */
  toMatchRequest(given: Given<GivenFlow>, matcher: Matcher, options?: WithinOptions): Outcome;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveResponded(given: Given<GivenFlow>, response?: ResponseMatcher, options?: WithinOptions): Outcome;
  /** See {@linkcode FlowtapeMatchers}. */
  toHaveSentMessage(given: Given<GivenFlow>, message: MessageMatcher, options?: ReceivedOptions): Outcome;
};

/**
 * Matchers for a proxy, a `FlowSet` or a flow: give them to the `expect.extend` of your test runner. The bindings of flowtape have done so.
 *
 * @example
 * ```ts
 * import { FlowSet, matchers } from "flowtape";
 *
 * const outcome = await matchers.toHaveReceived(new FlowSet(), "POST /orders");
 * outcome.pass; // false
 * ```
 */
export const matchers: MatcherFunctions = {
  toHaveReceived: (given, matcher, options = {}) => {
    checkOptions(options, { times, within });
    return when(given, options, (source) => checkReceived(source, matcher, options.times));
  },
  toHaveReceivedTimes: (given, matcher, times, options = {}) => {
    checkOptions(options, { within });
    return when(given, options, (source) => checkReceived(source, matcher, times));
  },
  toHaveReceivedNth: (given, nth, matcher, options = {}) => {
    checkOptions(options, { within });
    return when(given, options, (source) => checkReceivedNth(source, nth, matcher));
  },
  toHaveReceivedLast: (given, matcher, options = {}) => {
    checkOptions(options, { within });
    return when(given, options, (source) => checkReceivedLast(source, matcher));
  },
  toHaveReceivedInOrder: (given, matchers, options = {}) => {
    checkOptions(options, { within });
    return when(given, options, (source) => checkReceivedInOrder(source, matchers));
  },
  toHaveNoUnmatched: (given) => checkNoUnmatched(valueOf(given)),
  toHaveUsedWholeTape: (given, options = {}) => {
    checkOptions(options, { within });
    return when(given, options, checkUsedWholeTape);
  },
  toMatchRequest: (given, matcher, options = {}) => {
    checkOptions(options, { within });
    return when(given, options, (flow) => checkRequest(flow, matcher));
  },
  toHaveResponded: (given, response, options = {}) => {
    checkOptions(options, { within });
    return when(given, options, (flow) => checkResponded(flow, response));
  },
  toHaveSentMessage: (given, message, options = {}) => {
    checkOptions(options, { times, within });
    return when(given, options, (flow) => checkSentMessage(flow, message, options.times));
  },
};

function when<T>(given: Given<T>, { within }: WithinOptions, check: (value: T) => Check): Outcome {
  const value = valueOf(given);
  if (within === undefined) return check(value);
  if (isContext(given)) {
    throw new OptionsError(
      "the expect() of @std/expect cannot wait: write await assertReceived(proxy, …, { within }) or its like instead",
    );
  }
  return eventually(within, () => check(value));
}

function valueOf<T>(given: Given<T>): T {
  return isContext(given) ? given.value : given;
}

function isContext<T>(given: Given<T>): given is StdContext<T> {
  return typeof given === "object" && given !== null && "value" in given && "isNot" in given;
}
