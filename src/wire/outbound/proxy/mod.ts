/**
 * The way out through another proxy: HTTP, HTTPS and SOCKS proxies, NO_PROXY rules, PAC files.
 *
 * @module
 */
export { connectThrough, type ConnectThroughOptions } from "./connect_through.ts";
export { compileNoProxy, type NoProxy } from "./no_proxy.ts";
export { loadPacEngine, type PacEngine, pacEngine, type QuickJsModule } from "./pac/engine.ts";
export { readPacSource } from "./pac/read_source.ts";
export { Pac, type PacOptions } from "./pac/pac.ts";
export type { PacRoute } from "./pac/route.ts";
export type { ProxyFailureCode } from "./proxy_refusal.ts";
export { parseProxyUrl } from "./proxy_url.ts";
export {
  type ProxyCredentials,
  type ProxyScheme,
  type ProxyTarget,
  targetName,
  UpstreamProxy,
} from "./upstream_proxy.ts";
