/**
 * Ways to point clients at a proxy: this process's own, and those of children.
 *
 * @module
 */
export type { ProxyAddress, ProxyLike } from "./address.ts";
export { agents, type ProxyAgents } from "./agents.ts";
export { type BrowserOptions, browserOptions } from "./browser.ts";
export type { Credentials } from "./credentials.ts";
export { dispatcher } from "./dispatcher.ts";
export { type CaFiles, childEnv } from "./env.ts";
export { type Environment, proxyFor } from "./from_env.ts";
export { ProxyClient, type ProxyClientOptions, type ProxyRequestInit } from "./proxy_client.ts";
export { type ProxyFetch, proxyFetch, type ProxyFetchOptions } from "./fetch.ts";
export { type BunOptions, bunOptions, type DenoOptions, denoOptions } from "./runtime_options.ts";
