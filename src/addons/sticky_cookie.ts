/**
 * Sessions for clients that keep none.
 *
 * @module
 */
import { cookiePairs } from "../flow/set_cookie.ts";
import type { Addon } from "../hooks/addon.ts";
import { CookieJar } from "./cookie_jar.ts";

/**
 * Keeps the cookies that servers set, and adds them to later requests to those servers, whichever client sends them. What a client sends
 * itself goes before what is kept. Host, path, `Secure` and expiry are respected.
 *
 * @example Log in with a browser, go on with curl
 * ```ts
 * import { startProxy } from "flowtape";
 * import { only, stickyCookie } from "flowtape/addons";
 *
 * await using proxy = await startProxy({ addons: [only({ host: "shop.test" }, stickyCookie())] });
 * ```
 */
export function stickyCookie(): Addon {
  const jar = new CookieJar();
  return {
    name: "stickyCookie",
    requestHeaders({ request }) {
      const sent = request.headers.getAll("cookie");
      const names = new Set(sent.flatMap(cookiePairs).map(([name]) => name));
      const missing = jar.for(request).filter(([name]) => !names.has(name));
      if (missing.length === 0) return;
      const pairs = missing.map(([name, value]) => `${name}=${value}`);
      request.headers.set("Cookie", [...sent, ...pairs].join("; "));
    },
    responseHeaders({ request, response }) {
      for (const line of response?.headers.getAll("set-cookie") ?? []) jar.set(line, request);
    },
  };
}
