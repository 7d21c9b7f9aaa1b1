/**
 * Assertions that need no test runner: they throw an `AssertionError` of `node:assert`, which every runner understands.
 *
 * @module
 */
import type { Matcher } from "../flow/matcher/types.ts";
import { checkReceivedInOrder } from "./check_order.ts";
import { checkReceivedLast, checkReceivedNth } from "./check_place.ts";
import { checkReceived } from "./check_received.ts";
import { checkUsedWholeTape } from "./check_tape.ts";
import { checkNoUnmatched } from "./check_unmatched.ts";
import { demand } from "./demand.ts";
import type { ReceivingProxy, Source } from "./source.ts";
import { checkOptions, type ReceivedOptions, times, within, type WithinOptions } from "./times.ts";

/**
 * Fails unless requests that match were received. The message shows the nearest ones, and why they do not match.
 *
 * @example
 * ```ts
 * import { assertReceived, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["*", respond({ status: 201 })]] });
 * void proxy.fetch("http://shop.test/orders", { method: "POST" });
 * await assertReceived(proxy, "POST http://shop.test/orders", { within: 5000 });
 * assertReceived(proxy, { path: "/orders" }, { times: 1 });
 * ```
 *
 * @throws {AssertionError} of `node:assert`
 * @throws {OptionsError} when the matcher or an option cannot be read
 */
export function assertReceived(
  source: Source,
  matcher: Matcher,
  options: ReceivedOptions & Required<WithinOptions>,
): Promise<void>;
/** The same, now. */
export function assertReceived(source: Source, matcher: Matcher, options?: ReceivedOptions): void;
export function assertReceived(source: Source, matcher: Matcher, options: ReceivedOptions = {}): Promise<void> | void {
  checkOptions(options, { times, within });
  return demand(assertReceived, options.within, () => checkReceived(source, matcher, options.times));
}

/**
 * Fails when a request that matches was received; with `within`, also when one comes in that time.
 *
 * @example
 * ```ts
 * import { assertNotReceived, FlowSet } from "flowtape";
 *
 * assertNotReceived(new FlowSet(), { host: "tracking.test" });
 * ```
 *
 * @throws {AssertionError} of `node:assert`
 */
export function assertNotReceived(source: Source, matcher: Matcher, options: Required<WithinOptions>): Promise<void>;
/** The same, now. */
export function assertNotReceived(source: Source, matcher: Matcher, options?: WithinOptions): void;
export function assertNotReceived(source: Source, matcher: Matcher, options: WithinOptions = {}): Promise<void> | void {
  checkOptions(options, { within });
  return demand(assertNotReceived, options.within, () => checkReceived(source, matcher, 0));
}

/**
 * Fails unless the request at a place matches: 1 is the first that was received.
 *
 * @example
 * ```ts
 * import { assertReceivedNth, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["*", respond({ json: {} })]] });
 * await proxy.fetch("http://shop.test/cart");
 * await proxy.fetch("http://shop.test/orders");
 * assertReceivedNth(proxy, 2, "/orders");
 * assertReceivedNth(proxy.flows.filter({ path: "/orders" }), 1, { method: "GET" });
 * ```
 *
 * @throws {AssertionError} of `node:assert`
 */
export function assertReceivedNth(
  source: Source,
  nth: number,
  matcher: Matcher,
  options: Required<WithinOptions>,
): Promise<void>;
/** The same, now. */
export function assertReceivedNth(source: Source, nth: number, matcher: Matcher, options?: WithinOptions): void;
export function assertReceivedNth(
  source: Source,
  nth: number,
  matcher: Matcher,
  options: WithinOptions = {},
): Promise<void> | void {
  checkOptions(options, { within });
  return demand(assertReceivedNth, options.within, () => checkReceivedNth(source, nth, matcher));
}

/**
 * Fails unless the latest request matches.
 *
 * @throws {AssertionError} of `node:assert`
 */
export function assertReceivedLast(source: Source, matcher: Matcher, options: Required<WithinOptions>): Promise<void>;
/** The same, now. */
export function assertReceivedLast(source: Source, matcher: Matcher, options?: WithinOptions): void;
export function assertReceivedLast(
  source: Source,
  matcher: Matcher,
  options: WithinOptions = {},
): Promise<void> | void {
  checkOptions(options, { within });
  return demand(assertReceivedLast, options.within, () => checkReceivedLast(source, matcher));
}

/**
 * Fails unless a request for each matcher was received, one after the other; others may lie between them.
 *
 * @example
 * ```ts
 * import { assertReceivedInOrder, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["*", respond({ json: {} })]] });
 * await proxy.fetch("http://shop.test/cart");
 * await proxy.fetch("http://shop.test/orders", { method: "POST" });
 * assertReceivedInOrder(proxy, ["/cart", "POST /orders"]);
 * ```
 *
 * @throws {AssertionError} of `node:assert`
 */
export function assertReceivedInOrder(
  source: Source,
  matchers: readonly Matcher[],
  options: Required<WithinOptions>,
): Promise<void>;
/** The same, now. */
export function assertReceivedInOrder(source: Source, matchers: readonly Matcher[], options?: WithinOptions): void;
export function assertReceivedInOrder(
  source: Source,
  matchers: readonly Matcher[],
  options: WithinOptions = {},
): Promise<void> | void {
  checkOptions(options, { within });
  return demand(assertReceivedInOrder, options.within, () => checkReceivedInOrder(source, matchers));
}

/**
 * Fails when there were requests that nothing on the tape matched. Closing the proxy fails for them as well.
 *
 * @example
 * ```ts
 * import { assertNoUnmatched, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy();
 * assertNoUnmatched(proxy);
 * ```
 *
 * @throws {AssertionError} of `node:assert`
 */
export function assertNoUnmatched(proxy: Pick<ReceivingProxy, "unmatched">): void {
  void demand(assertNoUnmatched, undefined, () => checkNoUnmatched(proxy));
}

/**
 * Fails when entries of the tape have answered no request.
 *
 * @example
 * ```ts
 * import { assertUsedWholeTape, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy();
 * assertUsedWholeTape(proxy);
 * ```
 *
 * @throws {AssertionError} of `node:assert`
 */
export function assertUsedWholeTape(
  proxy: Pick<ReceivingProxy, "unused">,
  options: Required<WithinOptions>,
): Promise<void>;
/** The same, now. */
export function assertUsedWholeTape(proxy: Pick<ReceivingProxy, "unused">, options?: WithinOptions): void;
export function assertUsedWholeTape(
  proxy: Pick<ReceivingProxy, "unused">,
  options: WithinOptions = {},
): Promise<void> | void {
  checkOptions(options, { within });
  return demand(assertUsedWholeTape, options.within, () => checkUsedWholeTape(proxy));
}
