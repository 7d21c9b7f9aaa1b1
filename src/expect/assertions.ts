/**
 * Assertions that need no test runner: they throw an `AssertionError` of `node:assert`, which every runner understands.
 *
 * @module
 */
import { AssertionError } from "node:assert";
import type { Matcher } from "../flow/matcher/types.ts";
import type { Check } from "./check.ts";
import { checkReceivedInOrder } from "./check_order.ts";
import { checkReceived } from "./check_received.ts";
import { checkNoUnmatched } from "./check_unmatched.ts";
import type { ReceivingProxy, Source } from "./source.ts";
import { type ReceivedOptions, timesOf } from "./times.ts";

/**
 * Fails unless requests that match were received. The message shows the nearest ones, and why they do not match.
 *
 * @example
 * ```ts
 * import { assertReceived, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["*", respond({ status: 201 })]] });
 * await proxy.fetch("http://shop.test/orders", { method: "POST" });
 * assertReceived(proxy, "POST http://shop.test/orders", { times: 1 });
 * ```
 *
 * @throws {AssertionError} of `node:assert`
 * @throws {OptionsError} when the matcher or `times` cannot be read
 */
export function assertReceived(source: Source, matcher: Matcher, options: ReceivedOptions = {}): void {
  demand(checkReceived(source, matcher, timesOf(options)), assertReceived);
}

/**
 * Fails when a request that matches was received.
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
export function assertNotReceived(source: Source, matcher: Matcher): void {
  demand(checkReceived(source, matcher, 0), assertNotReceived);
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
export function assertReceivedInOrder(source: Source, matchers: readonly Matcher[]): void {
  demand(checkReceivedInOrder(source, matchers), assertReceivedInOrder);
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
  demand(checkNoUnmatched(proxy), assertNoUnmatched);
}

/** The assertion that was called is left out of the stack: the first line of it is the test's own. */
function demand(check: Check, assertion: { (...args: never[]): void; name: string }): void {
  if (check.pass) return;
  throw new AssertionError({
    message: check.message(),
    actual: check.actual,
    expected: check.expected,
    operator: assertion.name,
    stackStartFn: assertion as () => void,
  });
}
