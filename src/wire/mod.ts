/**
 * The wire of one proxy: a port on one side, servers on the other, flows in between.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { LogEntry } from "../hooks/addon.ts";
import type { Dispatcher } from "../hooks/dispatcher.ts";
import type { CertificateAuthority } from "./ca/mod.ts";
import type { ProxyCredentials } from "./inbound/proxy_auth.ts";
import { openKeyLog } from "./key_log.ts";
import { listen } from "./listener.ts";
import { leadsHome } from "./own_address.ts";
import type { TlsVersion, TrustConfig } from "./outbound/trust.ts";
import { Upstream } from "./outbound/upstream.ts";
import { WayOut, type WayOutConfig } from "./outbound/way_out.ts";
import { newProxyName } from "./trail.ts";
import { UpstreamUse } from "./upstream_use.ts";
import { ask, type AskOptions, play } from "./played/play.ts";
import { replay, type ReplayOptions } from "./played/replay.ts";
import type { ClientConnection, Observer, WireContext } from "./wire_context.ts";

export { type CaOptions, type CertificateAuthority, openCa } from "./ca/mod.ts";
export type { Observer } from "./wire_context.ts";

/** What a wire needs. */
export interface WireOptions {
  readonly host: string;
  readonly port: number;
  readonly hooks: Dispatcher;
  readonly observer: Observer;
  readonly ca: CertificateAuthority;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly head: number; readonly idle: number };
  readonly limits: { readonly headBytes: number; readonly connections: number; readonly persistent?: boolean };
  readonly upstream: Omit<TrustConfig, "keyLog"> & WayOutConfig & {
    readonly verify: (flow: HttpFlow) => boolean;
    /** Whether the certificate of another proxy must be trusted. */
    readonly verifyProxy: boolean;
    /** Whether servers may speak HTTP/2. */
    readonly http2: boolean;
    /** Whether a connection to a server serves more than one request. */
    readonly persistent?: boolean;
  };
  /** What clients must send to use the proxy. */
  readonly auth?: ProxyCredentials | undefined;
  /** How TLS of clients is taken. */
  readonly tls?: { readonly minVersion?: TlsVersion; readonly requestCert?: boolean };
  /** Whether TLS for the target of a request for a tunnel is relayed unopened. */
  readonly passthrough?: ((flow: HttpFlow) => boolean) | undefined;
  /** A file for the secrets of TLS connections. */
  readonly keyLogFile?: string | undefined;
  log(level: LogEntry["level"], message: string): void;
}

/** An open wire. */
export interface Wire {
  /** The port that it listens on. */
  readonly port: number;
  /**
   * Prepares other options: all but host, port, authority and key log may be others. What is returned makes them hold, for flows that
   * begin then; those in flight keep theirs. A connection keeps the limit of its heads.
   *
   * @throws {FlowtapeError} a PAC file cannot be read
   */
  change(options: WireOptions, which: { readonly upstream: "same" | "new" }): Promise<() => void>;
  /**
   * Sends the request of a flow as a client would, and resolves with the new flow when that is over, however it ended.
   *
   * @param timeout milliseconds until it is given up
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  play(flow: HttpFlow, timeout?: number): Promise<HttpFlow>;
  /**
   * Sends the request of a flow to its server, past all hooks and the observer; resolves with the new flow when that is over.
   *
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  ask(flow: HttpFlow, options: AskOptions): Promise<HttpFlow>;
  /**
   * Lets the hooks of a flow fire once more, on a copy, which it resolves with. Nothing reaches the network.
   *
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  replay(flow: Flow, options: ReplayOptions): Promise<Flow>;
  /** Ends every flow in flight with `PROXY_CLOSED` and closes every connection. */
  close(): Promise<void>;
}

/**
 * Opens the port.
 *
 * @throws {FlowtapeError} the port cannot be listened on
 */
export async function openWire(options: WireOptions): Promise<Wire> {
  const { hooks } = options;
  const own = { host: options.host, port: -1 };
  const name = newProxyName();
  const keys = options.keyLogFile === undefined ? undefined : openKeyLog(options.keyLogFile);
  const keyLog = keys && ((line: Uint8Array) => keys.write(line));
  const clients = new Set<ClientConnection>();
  const closing = new AbortController();
  const uses = new Set<UpstreamUse>();

  const reach = async ({ upstream, timeouts, limits, log }: WireOptions): Promise<UpstreamUse> => {
    const isSelf = (hostname: string, port: number) =>
      leadsHome(own, { hostname, port }, { timeout: timeouts.connect, signal: closing.signal });
    const wayOut = new WayOut({
      ...upstream,
      timeouts,
      isSelf,
      keyLog,
      hooks,
      signal: closing.signal,
      log: (message) => log("info", message),
    });
    const config = { ...upstream, wayOut, timeouts, headBytes: limits.headBytes, isSelf, keyLog, name };
    const use = new UpstreamUse(new Upstream(config, hooks), () => uses.delete(use));
    await wayOut.ready();
    return use;
  };
  const contextOf = (options: WireOptions, use: UpstreamUse): Writable<WireContext> => {
    const { timeouts, limits, auth, tls, passthrough, ca, observer, log } = options;
    const config = {
      timeouts,
      ...limits,
      ...(auth && { auth }),
      ...(tls && { tls }),
      ...(passthrough && { passthrough }),
    };
    const context: Omit<WireContext, "now"> = {
      hooks,
      clients,
      ca,
      config,
      upstream: use.upstream,
      observer: use.observed(observer),
      ...(keyLog && { keyLog }),
      closing: closing.signal,
      log,
    };
    const frozen = context as Writable<WireContext>;
    return frozen.now = frozen;
  };

  // Connections hold one that changes, flows the one of the moment at which they begin.
  const live = {} as Writable<WireContext>;
  let current: UpstreamUse;
  const settle = (options: WireOptions, use: UpstreamUse): void => {
    Object.assign(live, contextOf(options, use));
    uses.add(current = use);
  };
  const listener = await reach(options).then((use) => {
    settle(options, use);
    return listen(options.host, options.port, live);
  }).catch((error) => {
    keys?.close();
    throw error;
  });
  own.port = listener.port;
  return {
    port: listener.port,
    async change(options, { upstream }) {
      const use = upstream === "new" ? await reach(options) : current;
      return () => {
        const before = current;
        settle(options, use);
        if (before !== use) before.retire();
      };
    },
    play: async (flow, timeout) => await play(flow, live.now, timeout),
    ask: async (flow, options) => await ask(flow, live.now, options),
    replay: async (flow, options) => await replay(flow, live.now, options),
    async close() {
      closing.abort();
      const goodbyes = shutDown(clients);
      const cut = () => Promise.all([...uses].map((use) => use.upstream.close()));
      await Promise.all([goodbyes.then(cut), listener.close(goodbyes)]);
      keys?.close();
    },
  };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

async function shutDown(clients: Iterable<ClientConnection>): Promise<void> {
  const reason = { code: "PROXY_CLOSED", message: "the proxy was closed while the request was in flight" };
  await Promise.all([...clients].map((client) => client.shutDown(reason)));
  // Those that came while others took their leave.
  for (const client of [...clients]) void client.shutDown(reason);
}
