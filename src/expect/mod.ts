/**
 * Assertions on what a proxy received.
 *
 * @module
 */
export {
  assertNotReceived,
  assertNoUnmatched,
  assertReceived,
  assertReceivedInOrder,
  assertReceivedLast,
  assertReceivedNth,
  assertUsedWholeTape,
} from "./assertions.ts";
export type { Check } from "./check.ts";
export type { ResponseMatcher } from "./check_response.ts";
export {
  type FailureAdvice,
  type FailureDetails,
  failureDetailsOf,
  type FailureFlow,
  type FailureKind,
  type FailureNearest,
} from "./details.ts";
export { assertMatchesRequest, assertResponded, assertSentMessage } from "./flow_assertions.ts";
export {
  type FlowtapeMatchers,
  type Given,
  type MatcherFunctions,
  matchers,
  type Outcome,
  type StdContext,
  type UnmatchedSource,
  type UnusedSource,
} from "./matchers.ts";
export type { SnapshotOptions, VolatileKind } from "./snapshot/options.ts";
export { type FlowSnapshot, type MessageSnapshot, type SaidSnapshot, snapshot } from "./snapshot/snapshot.ts";
export type { GivenFlow, ReceivingProxy, Source } from "./source.ts";
export type { ReceivedOptions, Times, WithinOptions } from "./times.ts";
