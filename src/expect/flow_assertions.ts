/**
 * Assertions on one flow.
 *
 * @module
 */
import type { Matcher, MessageMatcher } from "../flow/matcher/types.ts";
import { checkSentMessage } from "./check_message.ts";
import { checkRequest } from "./check_request.ts";
import { checkResponded, type ResponseMatcher } from "./check_response.ts";
import { demand } from "./demand.ts";
import type { GivenFlow } from "./source.ts";
import { checkOptions, type ReceivedOptions, times, within, type WithinOptions } from "./times.ts";

/**
 * Fails unless a flow is what the matcher is about. The message shows what differs.
 *
 * @example
 * ```ts
 * import { assertMatchesRequest, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["*", respond({ status: 201 })]] });
 * await proxy.fetch("http://shop.test/orders", { method: "POST", body: JSON.stringify({ qty: 2 }) });
 * assertMatchesRequest(proxy.flows.last(), { method: "POST", json: { qty: 2 } });
 * ```
 *
 * @throws {AssertionError} of `node:assert`; also when there is no flow
 */
export function assertMatchesRequest(
  flow: GivenFlow,
  matcher: Matcher,
  options: Required<WithinOptions>,
): Promise<void>;
/** The same, now. */
export function assertMatchesRequest(flow: GivenFlow, matcher: Matcher, options?: WithinOptions): void;
export function assertMatchesRequest(
  flow: GivenFlow,
  matcher: Matcher,
  options: WithinOptions = {},
): Promise<void> | void {
  checkOptions(options, { within });
  return demand(assertMatchesRequest, options.within, () => checkRequest(flow, matcher));
}

/**
 * Fails unless a flow was answered, and with a response like this: a status, or some of its parts.
 *
 * @example
 * ```ts
 * import { assertResponded, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({ rules: [["*", respond({ status: 402, json: { error: "declined" } })]] });
 * await proxy.fetch("http://pay.test/charges");
 * assertResponded(proxy.flows.last(), "4xx");
 * assertResponded(proxy.flows.last(), { status: 402, json: { error: /declined/ } });
 * ```
 *
 * @throws {AssertionError} of `node:assert`; also when there is no flow
 */
export function assertResponded(
  flow: GivenFlow,
  response: ResponseMatcher | undefined,
  options: Required<WithinOptions>,
): Promise<void>;
/** The same, now. */
export function assertResponded(flow: GivenFlow, response?: ResponseMatcher, options?: WithinOptions): void;
export function assertResponded(
  flow: GivenFlow,
  response?: ResponseMatcher,
  options: WithinOptions = {},
): Promise<void> | void {
  checkOptions(options, { within });
  return demand(assertResponded, options.within, () => checkResponded(flow, response));
}

/**
 * Fails unless a message that matches was sent over a WebSocket, or in a raw conversation: by the client, unless the matcher says
 * `from: "server"`.
 *
 * @example
 * ```ts
 * import { assertSentMessage, type Proxy } from "flowtape";
 *
 * function greeted(proxy: Proxy) {
 *   const [chat] = proxy.flows.filter({ scheme: "wss", path: "/chat" });
 *   assertSentMessage(chat, "hello");
 *   assertSentMessage(chat, { from: "server", json: { type: "welcome" } }, { times: 1 });
 * }
 * ```
 *
 * @throws {AssertionError} of `node:assert`; also when there is no flow
 */
export function assertSentMessage(
  flow: GivenFlow,
  message: MessageMatcher,
  options: ReceivedOptions & Required<WithinOptions>,
): Promise<void>;
/** The same, now. */
export function assertSentMessage(flow: GivenFlow, message: MessageMatcher, options?: ReceivedOptions): void;
export function assertSentMessage(
  flow: GivenFlow,
  message: MessageMatcher,
  options: ReceivedOptions = {},
): Promise<void> | void {
  checkOptions(options, { times, within });
  return demand(assertSentMessage, options.within, () => checkSentMessage(flow, message, options.times));
}
