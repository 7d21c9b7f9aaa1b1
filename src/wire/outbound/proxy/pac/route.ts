/**
 * What FindProxyForURL returned.
 *
 * @module
 */
import { FlowtapeError, OptionsError } from "../../../../flow/error.ts";
import { parseProxyUrl } from "../proxy_url.ts";
import type { ProxyScheme, UpstreamProxy } from "../upstream_proxy.ts";

/** A way out: through a proxy, or `"direct"`. */
export type PacRoute = UpstreamProxy | "direct";

/** SOCKS means version 5 in today's browsers, and they all leave names to the proxy. */
const KINDS: Readonly<Record<string, ProxyScheme>> = {
  PROXY: "http",
  HTTP: "http",
  HTTPS: "https",
  SOCKS: "socks5h",
  SOCKS4: "socks4a",
  SOCKS5: "socks5h",
};

/**
 * Reads `PROXY a:8080; SOCKS b; DIRECT`: the ways to be tried one after the other. Nothing means `DIRECT`.
 *
 * @throws {FlowtapeError} `PAC_FAILED`: a part is not understood. Browsers leave it out; a test should know.
 */
export function parsePacRoutes(text: string): PacRoute[] {
  const parts = text.split(";").map((it) => it.trim()).filter((it) => it !== "");
  return parts.length === 0 ? ["direct"] : parts.map((part) => parseRoute(part, text));
}

function parseRoute(part: string, whole: string): PacRoute {
  const [kind = "", place, ...more] = part.split(/\s+/);
  if (kind.toUpperCase() === "DIRECT" && place === undefined) return "direct";
  const scheme = Object.hasOwn(KINDS, kind.toUpperCase()) ? KINDS[kind.toUpperCase()] : undefined;
  try {
    if (scheme !== undefined && place !== undefined && more.length === 0 && !/[@/]/.test(place)) {
      return parseProxyUrl(`${scheme}://${place}`, "pac");
    }
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
  }
  throw new FlowtapeError(
    "PAC_FAILED",
    `The PAC file returned ${
      JSON.stringify(whole)
    }: DIRECT, and PROXY, HTTPS, SOCKS, SOCKS4 or SOCKS5 with host:port are ` +
      `understood, with a semicolon between them.`,
  );
}
