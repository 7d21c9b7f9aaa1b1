/**
 * Ways to point clients at a proxy.
 *
 * @module
 */
export { type BrowserOptions, browserOptions } from "./browser.ts";
export type { Credentials } from "./credentials.ts";
export { childEnv } from "./env.ts";
export { type ProxyFetch, proxyFetch } from "./fetch.ts";
