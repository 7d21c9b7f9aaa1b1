/**
 * The options that point a client of Deno or Bun at a proxy.
 *
 * @module
 */
import { withCredentials } from "./credentials.ts";
import { addressOf, type ProxyLike, upstreamOf } from "./address.ts";

/** What `Deno.createHttpClient` takes. */
export interface DenoOptions {
  /** The proxy, and who asks. */
  proxy: { url: string; basicAuth?: { username: string; password: string } };
  /** Whom to trust besides the well-known authorities, PEM. */
  caCerts: string[];
}

/** What `fetch` and `WebSocket` of Bun take. */
export interface BunOptions {
  /** The proxy, with the credentials in the URL. */
  proxy: string;
  /** Whom to trust, PEM. */
  tls: { ca: string[] };
}

/**
 * Options for a client of Deno: `Deno.createHttpClient(denoOptions(proxy))` makes one for `fetch(url, { client })` and
 * `new WebSocket(url, { client })`.
 *
 * @throws {OptionsError} the URL of the proxy cannot be read
 */
export function denoOptions(proxy: ProxyLike): DenoOptions {
  const address = addressOf(proxy);
  const upstream = upstreamOf(address);
  const basicAuth = upstream.credentials();
  return {
    proxy: { url: `${upstream}`, ...(basicAuth && { basicAuth: { ...basicAuth } }) },
    caCerts: address.ca === undefined ? [] : [address.ca],
  };
}

/**
 * Options for clients of Bun: `fetch(url, bunOptions(proxy))`, `new WebSocket(url, bunOptions(proxy))`.
 *
 * @throws {OptionsError} the URL of the proxy cannot be read
 */
export function bunOptions(proxy: ProxyLike): BunOptions {
  const address = addressOf(proxy);
  const upstream = upstreamOf(address);
  return {
    proxy: withCredentials(`${upstream}`, upstream.credentials()),
    tls: { ca: address.ca === undefined ? [] : [address.ca] },
  };
}
