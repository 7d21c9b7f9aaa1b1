/**
 * Connects to servers directly or through another proxy.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { FlowError } from "../../flow/flow_error.ts";
import type { Peer } from "../../flow/peer.ts";
import type { Dispatcher } from "../../hooks/dispatcher.ts";
import { type Trail, viaOf } from "../trail.ts";
import { dial, DialError, type DialOptions, type DialTimes } from "./dial.ts";
import { askAboutConnect } from "./proxy/ask_about_connect.ts";
import { connectThrough } from "./proxy/connect_through.ts";
import type { PacRoute } from "./proxy/pac/route.ts";
import { targetName, type UpstreamProxy } from "./proxy/upstream_proxy.ts";
import { Trust, type TrustConfig } from "./trust.ts";

/** What every way needs. */
export interface OpenWayConfig extends TrustConfig {
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number };
  /** Whether the certificate of an `https` proxy must be trusted. */
  readonly verifyProxy: boolean;
  /** Is asked about each CONNECT to another proxy. */
  readonly hooks: Dispatcher;
  /** Aborts when the proxy is being closed. */
  readonly signal: AbortSignal;
  /** Whether a connection to this address would come back to this proxy. */
  isSelf(host: string, port: number): Promise<boolean>;
}

/** What to connect to, and for whom. */
export interface OpenWayOptions extends Omit<DialOptions, "over"> {
  /** The client that it is for. */
  readonly client: Peer;
  /** The proxies on the way so far, this one included. */
  readonly trail: Trail;
}

/** A connection to a server. */
export interface OpenedWay {
  /** What is written to it reaches the server. */
  readonly socket: Socket;
  /** When it was made. */
  readonly times: DialTimes;
}

/** Failures after which the next of several routes is tried, as browsers do: nothing has been heard of this one. */
const NEXT_AFTER: ReadonlySet<string> = new Set([
  "NEXT_PROXY_UNREACHABLE",
  "NEXT_PROXY_TIMEOUT",
  "NEXT_PROXY_CLOSED",
  "UPSTREAM_UNRESOLVED",
  "UPSTREAM_REFUSED",
  "UPSTREAM_UNREACHABLE",
  "UPSTREAM_CONNECT_TIMEOUT",
]);

/** Opens ways. */
export class WayOpener {
  readonly #config: OpenWayConfig;
  #trust: Trust | undefined;

  /** @param config what every way needs */
  constructor(config: OpenWayConfig) {
    this.#config = config;
  }

  /**
   * Tries one route after the other; `peer.via` is the proxy of the last one.
   *
   * @throws {DialError} why the first one failed, with what was said of the others
   */
  async open(routes: readonly PacRoute[], peer: Peer, options: OpenWayOptions): Promise<OpenedWay> {
    const failures: DialError[] = [];
    for (const route of routes) {
      try {
        return await this.#open(route, peer, options);
      } catch (error) {
        if (!(error instanceof DialError)) throw error;
        failures.push(error);
        if (!NEXT_AFTER.has(error.code) || options.signal.aborted) break;
      }
    }
    throw failures.length === 1 ? failures[0] : allFailed(failures);
  }

  async #open(route: PacRoute, peer: Peer, options: OpenWayOptions): Promise<OpenedWay> {
    delete peer.via;
    if (route === "direct") return await dial(peer, options);
    peer.via = String(route);
    if (await this.#config.isSelf(route.hostname, route.port)) throw loop(route);
    return await this.#through(route, peer, options);
  }

  async #through(proxy: UpstreamProxy, peer: Peer, options: OpenWayOptions): Promise<OpenedWay> {
    const fields = await this.#fieldsFor(proxy, peer, options);
    const deadline = performance.now() + options.timeout;
    const tunnel = await connectThrough(proxy, { hostname: peer.host, port: peer.port }, {
      timeout: options.timeout,
      signal: options.signal,
      halfOpen: options.halfOpen,
      trail: options.trail,
      ...(proxy.scheme === "https" ? { tls: this.#trustIn(proxy) } : {}),
      ...(fields === undefined ? {} : { fields }),
    });
    const connected = performance.now();
    describe(peer, tunnel);
    if (options.tls === undefined) return { socket: tunnel, times: { connected, secured: connected } };
    try {
      const timeout = Math.max(1, Math.ceil(deadline - connected));
      const { socket, times } = await dial(peer, { ...options, timeout, over: tunnel });
      // Not every runtime closes what is under TLS with it.
      socket.once("close", () => tunnel.destroy());
      return { socket, times: { connected, secured: times.secured } };
    } catch (error) {
      tunnel.destroy();
      throw error;
    }
  }

  async #fieldsFor({ scheme }: UpstreamProxy, peer: Peer, options: OpenWayOptions): Promise<string | undefined> {
    const { hooks } = this.#config;
    if (scheme !== "http" && scheme !== "https") return undefined;
    const via = viaOf(options.trail);
    if (!hooks.has("httpConnect")) {
      return `Host: ${targetName({ hostname: peer.host, port: peer.port })}\r\nVia: ${via}\r\n`;
    }
    return await unlessAborted(askAboutConnect(hooks, peer, options.client, via), options.signal);
  }

  #trustIn({ hostname, port }: UpstreamProxy): NonNullable<Parameters<typeof connectThrough>[2]["tls"]> {
    this.#trust ??= new Trust(this.#config);
    return this.#trust.for(hostname, port, { serverName: hostname, verify: this.#config.verifyProxy });
  }
}

// What the socket calls the other end is the proxy: the server's address is not known.
function describe(peer: Peer, tunnel: Socket): void {
  peer.connectedAt = Date.now();
  if (tunnel.localAddress !== undefined) peer.localAddress = tunnel.localAddress;
  if (tunnel.localPort !== undefined) peer.localPort = tunnel.localPort;
}

// Nobody holds a connection yet: closing must not wait for a hook.
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const closed = Promise.withResolvers<never>();
  const abort = () => closed.reject(new DialError({ code: "PROXY_CLOSED", message: "the proxy was closed" }));
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([promise, closed.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function loop(proxy: UpstreamProxy): DialError {
  return new DialError({
    code: "LOOP",
    message: `the proxy ${proxy} on the way to the server is this proxy itself: give upstream.proxy another, or none`,
  });
}

function allFailed(failures: readonly DialError[]): DialError {
  const [first, ...others] = failures as [DialError, ...DialError[]];
  const failure: FlowError = {
    ...first.failure,
    message: [first.message, ...others.map((it) => `then: ${it.message}`)].join("; "),
  };
  return new DialError(failure, first, others.at(-1)?.stage);
}
