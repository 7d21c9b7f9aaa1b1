/**
 * Another server in the place of a server.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { describeValue, isRegExp } from "../flow/matcher/describe.ts";
import type { Addon } from "../hooks/addon.ts";
import { checkObject } from "../rules/check.ts";
import { compileStart, type UrlStart } from "./url_prefix.ts";

/** How {@linkcode mapRemote} does it. */
export interface MapRemoteOptions {
  /** The `Host` header: `"follow"` (the default) names the new server, `"keep"` still names the one that the client asked for. */
  host?: "follow" | "keep";
}

/**
 * Sends what begins with a URL elsewhere: the rest of the URL, with its query, is put behind the new beginning. The client does not notice;
 * `flow.request.originalUrl` keeps what it asked for. Other addons and rules see the new URL.
 *
 * @param from the beginning of URLs, or an expression: what it matches in a URL is replaced, with `$1` for a group
 * @param to what stands in its place
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { mapRemote } from "flowtape/addons";
 *
 * await using proxy = await startProxy({
 *   addons: [
 *     mapRemote("https://api.shop.test/v1/", "http://127.0.0.1:4000/"),
 *     mapRemote(/^https:\/\/(\w+)\.old\.test/, "https://$1.new.test"),
 *   ],
 * });
 * ```
 */
export function mapRemote(from: UrlStart, to: string | URL, options: MapRemoteOptions = {}): Addon {
  checkObject(options, ["host"], "the options of mapRemote()");
  const { host = "follow" } = options as MapRemoteOptions;
  if (host !== "follow" && host !== "keep") {
    throw new OptionsError(`host of mapRemote() is ${describeValue(host)}: "follow" or "keep" is accepted`);
  }
  const map = isRegExp(from) ? byExpression(from, to) : byPrefix(from, to);
  return {
    name: "mapRemote",
    requestHeaders({ request, response, error }) {
      if (response !== undefined || error !== undefined) return;
      const url = map(request.url);
      if (url === undefined || url === request.url) return;
      const before = request.host;
      request.url = url;
      if (host === "keep") request.host = before;
    },
  };
}

type Map = (url: string) => string | undefined;

function byPrefix(from: UrlStart, to: string | URL): Map {
  const rest = compileStart(from, "mapRemote()");
  const target = URL.parse(to);
  if (target === null || !/^https?:$/.test(target.protocol) || target.search !== "" || target.hash !== "") {
    throw new OptionsError(`mapRemote() maps to an absolute URL without a query, not to ${describeValue(String(to))}`);
  }
  const start = target.href.replace(/\/$/, "");
  return (url) => {
    const path = rest(url);
    if (path === undefined) return undefined;
    const query = /\?.*$/s.exec(url)?.[0] ?? "";
    return start + path + query;
  };
}

function byExpression(from: RegExp, to: string | URL): Map {
  return (url) => url.search(from) < 0 ? undefined : url.replace(from, String(to));
}
