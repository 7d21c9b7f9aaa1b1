/**
 * Which way a flow goes to its server: directly, or through another proxy.
 *
 * @module
 */
import { FlowtapeError } from "../../flow/error.ts";
import { bareHost } from "../../flow/authority.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { nextPeerId, type Peer } from "../../flow/peer.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import { connectFlow } from "../inbound/connect_flow.ts";
import { compileHosts, type HostOverrides } from "./hosts.ts";
import { type OpenedWay, type OpenWayConfig, type OpenWayOptions, WayOpener } from "./open_way.ts";
import { compileNoProxy, type NoProxy } from "./proxy/no_proxy.ts";
import { PacRoutes } from "./proxy/pac/pac_routes.ts";
import type { PacRoute } from "./proxy/pac/route.ts";
import { parseProxyUrl } from "./proxy/proxy_url.ts";
import type { ProxyTarget } from "./proxy/upstream_proxy.ts";

/** What decides on the way. */
export interface WayOutConfig {
  /** Where names lead to: those are reached directly. */
  readonly hosts?: Readonly<Record<string, string>> | undefined;
  /** The proxy, for all flows or for each. */
  readonly proxy?: string | ((flow: HttpFlow) => string | undefined) | undefined;
  /** Which servers are reached without it, the PAC file's proxies included. */
  readonly noProxy?: string | undefined;
  /** The text, path or URL of a PAC file. */
  readonly pac?: string | undefined;
}

/** A way: what is to be tried one after the other. */
export interface Way {
  /** One route but for PAC files. */
  readonly routes: readonly PacRoute[];
  /** Connections of the same key have been made in the same way: part of the key of a pool. Holds passwords: for comparing alone. */
  readonly key: string;
}

/** Decides which way flows go, and opens it; the same for HTTP and for raw conversations. */
export class WayOut {
  readonly #hosts: HostOverrides;
  readonly #proxyFor: ((flow: HttpFlow) => readonly PacRoute[]) | undefined;
  readonly #noProxy: NoProxy;
  readonly #pac: PacRoutes | undefined;
  readonly #opener: WayOpener;
  // A function is asked once for each flow, however often the flow is sent.
  readonly #ways = new WeakMap<HttpFlow | TcpFlow, Way>();

  /** @throws {OptionsError} a name, a rule or a URL is not valid */
  constructor(config: WayOutConfig & OpenWayConfig & { log(message: string): void }) {
    const { hosts, proxy, noProxy, pac, timeouts, signal } = config;
    this.#hosts = compileHosts(hosts ?? {});
    this.#noProxy = compileNoProxy(noProxy ?? "");
    this.#proxyFor = proxy === undefined ? undefined : compileProxy(proxy);
    this.#pac = pac === undefined ? undefined : new PacRoutes(pac, {
      timeout: timeouts.connect,
      signal,
      alert: (text) => config.log(`the PAC file says: ${text.replace(/\s+/g, " ")}`),
    });
    this.#opener = new WayOpener(config);
  }

  /**
   * Reads what can be read before the first flow.
   *
   * @throws {FlowtapeError} the PAC file cannot be read
   */
  async ready(): Promise<void> {
    await this.#pac?.ready();
  }

  /** The server that a host and port lead to on a way, whatever DNS says. */
  server(way: Way, { hostname, port }: ProxyTarget): Peer {
    const to = this.#hosts(hostname, port) ?? { hostname, port };
    const [first] = way.routes;
    const via = first === undefined || first === "direct" ? {} : { via: String(first) };
    return { id: nextPeerId(), host: bareHost(to.hostname), port: to.port, ...via };
  }

  /**
   * The way of a flow, if nothing has to be waited for.
   *
   * @throws {FlowtapeError} the function of `upstream.proxy` threw, or what it returned is no proxy
   */
  known(flow: HttpFlow | TcpFlow): Way | undefined {
    if (this.#proxyFor === undefined && this.#pac === undefined) return DIRECT;
    const known = this.#ways.get(flow);
    if (known !== undefined) return known;
    const { hostname, port } = flow.type === "http" ? flow.request : flow;
    if (this.#hosts(hostname, port) !== undefined || this.#noProxy(hostname, port)) return DIRECT;
    const routes = this.#pac === undefined ? this.#proxyFor?.(asHttp(flow)) : this.#pac.known(urlOf(flow));
    return routes && this.#remember(flow, routes);
  }

  /**
   * The way of a flow.
   *
   * @throws {FlowtapeError} what decides has failed
   */
  async find(flow: HttpFlow | TcpFlow): Promise<Way> {
    return this.known(flow) ?? this.#remember(flow, await this.#pac!.find(urlOf(flow)));
  }

  /**
   * Connects to `peer.host` and `peer.port` on a way; fills in what is then known of the peer.
   *
   * @throws {DialError} there is no connection
   * @throws {HookError} an `httpConnect` hook threw
   */
  open(way: Way, peer: Peer, options: OpenWayOptions): Promise<OpenedWay> {
    return this.#opener.open(way.routes, peer, options);
  }

  #remember(flow: HttpFlow | TcpFlow, routes: readonly PacRoute[]): Way {
    const way = { routes, key: routes.map((it) => it === "direct" ? "" : it.key()).join("; ") };
    this.#ways.set(flow, way);
    return way;
  }
}

const NO_PROXY: readonly PacRoute[] = ["direct"];
const DIRECT: Way = { routes: NO_PROXY, key: "" };

function compileProxy(proxy: NonNullable<WayOutConfig["proxy"]>): (flow: HttpFlow) => readonly PacRoute[] {
  if (typeof proxy === "string") {
    const routes = [parseProxyUrl(proxy)];
    return () => routes;
  }
  return (flow) => {
    const url = ask(proxy, flow);
    if (url === undefined || url === null) return NO_PROXY;
    if (typeof url === "string") return [parseProxyUrl(url, "what the function upstream.proxy returned")];
    throw new FlowtapeError(
      "HOOK_FAILED",
      `the function upstream.proxy returned a value of type ${typeof url}: the URL of a proxy, or undefined, is accepted`,
    );
  };
}

function ask(proxy: (flow: HttpFlow) => unknown, flow: HttpFlow): unknown {
  try {
    return proxy(flow);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FlowtapeError("HOOK_FAILED", `the function upstream.proxy threw: ${why}`, { cause });
  }
}

/** Of a raw conversation: the request for its tunnel, whoever asked for that, and in whatever protocol. */
function asHttp(flow: HttpFlow | TcpFlow): HttpFlow {
  return flow.type === "http" ? flow : connectFlow(flow, flow.client);
}

function urlOf(flow: HttpFlow | TcpFlow): string {
  return flow.type === "http" ? flow.request.url : `https://${flow.hostname}:${flow.port}/`;
}
