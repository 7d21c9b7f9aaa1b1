/**
 * flowtape: the network fixture of a test suite. An intercepting proxy that records, replays, mocks and explains HTTP traffic.
 *
 * @example
 * ```ts
 * import { assertReceived, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [["POST https://pay.test/charges", respond({ status: 402, json: { error: "declined" } })]],
 * });
 * await proxy.fetch("https://pay.test/charges", { method: "POST", body: JSON.stringify({ cents: 500 }) });
 * assertReceived(proxy, { method: "POST", json: { cents: 500 } }, { times: 1 });
 * ```
 *
 * @module
 */
export { Proxy, startProxy } from "./proxy.ts";
export type {
  CaptureOptions,
  HttpsOptions,
  LimitOptions,
  ProxyOptions,
  TimeoutOptions,
  UpstreamOptions,
} from "./options/proxy_options.ts";
export type { WaitOptions } from "./capture.ts";
