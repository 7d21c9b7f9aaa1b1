/**
 * Where a client finds a proxy, and whom it trusts there.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { parseProxyUrl, type UpstreamProxy } from "../wire/outbound/proxy/mod.ts";

/** A proxy as the URL and the certificate that clients are given. */
export interface ProxyAddress {
  /** `http://host:port`, with `user:password@` in percent-encoding where the proxy asks for them. */
  readonly proxy: string;
  /** Certificate authorities that are trusted besides the well-known ones, PEM. */
  readonly ca?: string;
}

/** A proxy of flowtape, or the address of any other. */
export type ProxyLike = ProxyAddress | {
  /** The environment of a child process; the URL is taken from it. */
  env(): Record<string, string>;
  /** Its certificate authority. */
  readonly ca: { readonly cert: string };
};

/** The address of a proxy, as it is now. */
export function addressOf(proxy: ProxyLike): ProxyAddress {
  if (typeof proxy !== "object" || proxy === null) throw refused(typeof proxy);
  if ("env" in proxy && typeof proxy.env === "function") {
    return { proxy: proxy.env()["http_proxy"]!, ca: proxy.ca.cert };
  }
  if (!("proxy" in proxy) || typeof proxy.proxy !== "string") throw refused("an object without a proxy");
  return proxy;
}

/**
 * The same, taken apart.
 *
 * @throws {OptionsError} the URL is not one of a proxy; the message does not repeat it
 */
export function upstreamOf({ proxy }: ProxyAddress): UpstreamProxy {
  return parseProxyUrl(proxy, "proxy");
}

function refused(given: string): OptionsError {
  return new OptionsError(
    `the proxy is given as ${given}: what startProxy() gives, or { proxy: "http://host:port", ca }, is accepted`,
  );
}
