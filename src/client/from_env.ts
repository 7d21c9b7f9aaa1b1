/**
 * The proxy that the environment names for a URL.
 *
 * @module
 */
import process from "node:process";
import { compileNoProxy, parseProxyUrl } from "../wire/outbound/proxy/mod.ts";

/** Variables of an environment, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL, as curl reads the environment: `http_proxy` or `https_proxy` by the scheme of the URL, else `all_proxy`; none for what
 * `no_proxy` lists. The lower-case name goes before the upper-case one. `HTTP_PROXY` does not count where `REQUEST_METHOD` is set: a CGI
 * program gets a header field `Proxy` of its client in it.
 *
 * @example
 * ```ts
 * import { proxyFor } from "flowtape/client";
 *
 * const env = { https_proxy: "http://proxy.test:3128", no_proxy: "localhost,.internal.test" };
 * console.log(proxyFor("https://shop.test/", env)); // http://proxy.test:3128
 * console.log(proxyFor("https://db.internal.test/", env), proxyFor("http://shop.test/", env)); // undefined undefined
 * ```
 *
 * @param env `process.env` by default
 * @throws {OptionsError} a variable cannot be read; the message names it, and does not repeat the URL
 */
export function proxyFor(url: string | URL, env: Environment = process.env): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const scheme = protocol.replace(/^ws/, "http").slice(0, -1);
  const [name, proxy] = [...namesOf(`${scheme}_proxy`, env), ...namesOf("all_proxy", env)][0] ?? [];
  if (name === undefined || proxy === undefined) return undefined;
  const [listName = "no_proxy", list = ""] = namesOf("no_proxy", env)[0] ?? [];
  const isLeftOut = compileNoProxy(list, `the environment variable ${listName}`);
  if (isLeftOut(hostname, Number(port || (scheme === "https" ? 443 : 80)))) return undefined;
  parseProxyUrl(proxy, `the environment variable ${name}`);
  return proxy;
}

/** Whether the environment names a proxy, whatever it leaves out. */
export function hasProxy(env: Environment = process.env): boolean {
  return ["http_proxy", "https_proxy", "all_proxy"].some((name) => namesOf(name, env).length > 0);
}

function namesOf(name: string, env: Environment): [string, string][] {
  const isCgi = name === "http_proxy" && env["REQUEST_METHOD"] !== undefined;
  return (isCgi ? [name] : [name, name.toUpperCase()]).flatMap((it) => env[it] ? [[it, env[it].trim()]] : []);
}
