/**
 * Assertions on what a proxy received.
 *
 * @module
 */
export { assertNotReceived, assertNoUnmatched, assertReceived, assertReceivedInOrder } from "./assertions.ts";
export type { Check } from "./check.ts";
export {
  type FlowtapeMatchers,
  type MatcherFunctions,
  matchers,
  type StdContext,
  type UnmatchedSource,
} from "./matchers.ts";
export type { ReceivingProxy, Source } from "./source.ts";
export type { ReceivedOptions, Times } from "./times.ts";
