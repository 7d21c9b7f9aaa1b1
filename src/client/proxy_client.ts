/**
 * A client whose proxy comes from the environment, from the constructor, or from the request.
 *
 * @module
 */
import process from "node:process";
import { OptionsError } from "../flow/error.ts";
import { parseProxyUrl } from "../wire/outbound/proxy/mod.ts";
import type { ProxyAddress } from "./address.ts";
import { explainFailure, explainResponse } from "./failure.ts";
import { type ProxyFetch, proxyFetch } from "./fetch.ts";
import { type Environment, hasProxy, proxyFor } from "./from_env.ts";

/** Of a {@linkcode ProxyClient}. */
export interface ProxyClientOptions {
  /**
   * `http://user:password@host:port`, or the same with `https`; reserved characters in percent-encoding. `""`: no proxy, whatever the
   * environment says. By default the environment is asked for each request.
   */
  proxy?: string;
  /** Certificate authorities that are trusted besides the well-known ones, PEM. */
  ca?: string;
  /** The environment. Default: `process.env`, as it is when a request is made. */
  env?: Environment;
}

/** What `fetch` takes, and the proxy for this request. */
export interface ProxyRequestInit extends RequestInit {
  /** As the option of the client: goes before it. */
  proxy?: string;
}

/** So many proxies are kept connected to. */
const KEPT = 16;

/**
 * A `fetch` that can be told of a proxy: by `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` in the environment, when it is made, by
 * `setProxy()`, or for one request. The nearest to the request counts.
 *
 * @example
 * ```ts
 * import { respond, startProxy } from "flowtape";
 * import { ProxyClient } from "flowtape/client";
 *
 * await using proxy = await startProxy({ defaultAction: respond({ body: "hello" }) });
 * await using client = new ProxyClient({ proxy: proxy.url, ca: proxy.ca.cert });
 * const response = await client.fetch("https://shop.test/");
 * console.log(await response.text()); // hello
 * ```
 */
export class ProxyClient implements AsyncDisposable {
  readonly #ca: string | undefined;
  readonly #env: Environment | undefined;
  readonly #kept = new Map<string, Promise<ProxyFetch>>();
  #proxy: string | undefined;

  /**
   * Makes a client; connections are made with the first request.
   *
   * @throws {OptionsError} an option is not accepted; no message repeats the URL, for the password in it
   */
  constructor(options: ProxyClientOptions = {}) {
    const { proxy, ca, env } = options;
    this.#proxy = checked(proxy, "proxy");
    if (ca !== undefined && (typeof ca !== "string" || !ca.includes("-----BEGIN CERTIFICATE-----"))) {
      throw new OptionsError("ca is no certificate: the text of a PEM file is accepted (read the file first)");
    }
    this.#ca = ca;
    this.#env = env;
  }

  /**
   * The proxy for requests from now on; `""`: none; `undefined`: the one that the environment names.
   *
   * @throws {OptionsError} it is not the URL of a proxy
   */
  setProxy(url: string | undefined): void {
    this.#proxy = checked(url, "the argument of setProxy()");
  }

  /**
   * As the global `fetch`. It needs no `this`.
   *
   * @throws {OptionsError} the proxy of the request, or of the environment, cannot be read
   * @throws {FlowtapeError} `PROXY_UNREACHABLE`, `PROXY_AUTH` (407), `PROXY_REFUSED`, `PROXY_ANSWER`, `PROXY_TIMEOUT`: what is wrong with the
   * proxy. What is wrong with the server is thrown as `fetch` throws it.
   */
  readonly fetch = async (input: string | URL | Request, init: ProxyRequestInit = {}): Promise<Response> => {
    const { proxy: own, ...rest } = init;
    const url = input instanceof Request ? input.url : new URL(input, globalThis.location?.href).href;
    const given = checked(own, "the option proxy of a request") ?? this.#proxy;
    const env = this.#env ?? process.env;
    const proxy = given ?? proxyFor(url, env);
    // What nobody has been told of goes where all requests of the process go.
    if (!proxy && given === undefined && this.#ca === undefined && !hasProxy(env)) return await fetch(input, rest);
    const address = { ...(proxy ? { proxy } : {}), ...(this.#ca === undefined ? {} : { ca: this.#ca }) };
    const through = await this.#through(address);
    if (address.proxy === undefined) return await through.fetch(input, rest);
    const known = address as ProxyAddress;
    try {
      return await explainResponse(await through.fetch(input, rest), known);
    } catch (error) {
      throw await explainFailure(
        error,
        url,
        known,
        rest.signal ?? (input instanceof Request ? input.signal : undefined),
      );
    }
  };

  /** Closes the connections that are kept. What is asked afterwards makes new ones. */
  async close(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    await Promise.all(all.map(async (it) => (await it).close()));
  }

  /** {@linkcode ProxyClient.close | close()}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #through(address: Partial<ProxyAddress>): Promise<ProxyFetch> {
    const key = address.proxy ?? "";
    const known = this.#kept.get(key);
    this.#kept.delete(key);
    const made = known ?? proxyFetch(address, { whose: "others" });
    this.#kept.set(key, made);
    if (this.#kept.size > KEPT) {
      const [oldest, unused] = this.#kept.entries().next().value!;
      this.#kept.delete(oldest);
      unused.then((it) => it.close()).catch(() => {});
    }
    return made;
  }
}

function checked(proxy: string | undefined, where: string): string | undefined {
  if (proxy === undefined || proxy === "") return proxy;
  if (typeof proxy !== "string") {
    throw new OptionsError(`${where} is of type ${typeof proxy}: a URL as a string is accepted`);
  }
  parseProxyUrl(proxy, where);
  return proxy;
}
