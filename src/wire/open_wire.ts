/**
 * Puts a wire together: its port, the way to its servers, and what its connections share.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { AppServers } from "./app/app_servers.ts";
import type { Application } from "./app/application.ts";
import type { ProxyCredentials } from "./inbound/proxy_auth.ts";
import { type KeyLog, openKeyLog } from "./key_log.ts";
import { listen, type Listener } from "./listener.ts";
import { Upstream } from "./outbound/upstream.ts";
import { WayOut } from "./outbound/way_out.ts";
import { leadsHome } from "./own_address.ts";
import { ask, type AskOptions, play } from "./played/play.ts";
import { replay, type ReplayOptions } from "./played/replay.ts";
import { newProxyName } from "./trail.ts";
import { UpstreamUse } from "./upstream_use.ts";
import type { Wire, WireOptions } from "./wire.ts";
import type { ClientConnection, InboundConfig, WireContext } from "./wire_context.ts";

/**
 * Opens the port.
 *
 * @throws {FlowtapeError} the port cannot be listened on
 */
export async function openWire(options: WireOptions): Promise<Wire> {
  const keys = options.keyLogFile === undefined ? undefined : openKeyLog(options.keyLogFile);
  try {
    const wire = new OpenWire(options, keys);
    await wire.open(options);
    return wire;
  } catch (error) {
    keys?.close();
    throw error;
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

class OpenWire implements Wire {
  readonly #name = newProxyName();
  readonly #own: { readonly host: string; port: number };
  readonly #keys: KeyLog | undefined;
  readonly #keyLog: ((line: Uint8Array) => void) | undefined;
  readonly #clients = new Set<ClientConnection>();
  readonly #closing = new AbortController();
  readonly #uses = new Set<UpstreamUse>();
  /** Connections hold this one, which changes; flows the one of the moment at which they begin. */
  readonly #live = {} as Writable<WireContext>;
  #current!: UpstreamUse;
  #listener!: Listener;

  constructor({ host }: WireOptions, keys: KeyLog | undefined) {
    this.#own = { host, port: -1 };
    this.#keys = keys;
    this.#keyLog = keys && ((line) => keys.write(line));
  }

  get port(): number {
    return this.#own.port;
  }

  async open(options: WireOptions): Promise<void> {
    this.#settle(options, await this.#reach(options));
    this.#listener = await listen(options.host, options.port, this.#live);
    this.#own.port = this.#listener.port;
  }

  async change(options: WireOptions, { upstream }: { readonly upstream: "same" | "new" }): Promise<() => void> {
    const use = upstream === "new" ? await this.#reach(options) : this.#current;
    return () => {
      const before = this.#current;
      this.#settle(options, use);
      if (before !== use) before.retire();
    };
  }

  async play(flow: HttpFlow, timeout?: number): Promise<HttpFlow> {
    return await play(flow, this.#live.now, timeout);
  }

  async ask(flow: HttpFlow, options: AskOptions): Promise<HttpFlow> {
    return await ask(flow, this.#live.now, options);
  }

  async replay(flow: Flow, options: ReplayOptions): Promise<Flow> {
    return await replay(flow, this.#live.now, options);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const goodbyes = shutDown(this.#clients);
    const cut = () => Promise.all([...this.#uses].map((use) => use.upstream.close()));
    await Promise.all([goodbyes.then(cut), this.#listener.close(goodbyes)]);
    this.#keys?.close();
  }

  /** A way to the servers with these options. */
  async #reach({ hooks, upstream, timeouts, limits, log }: WireOptions): Promise<UpstreamUse> {
    const { signal } = this.#closing;
    const isSelf = (hostname: string, port: number) =>
      leadsHome(this.#own, { hostname, port }, { timeout: timeouts.connect, signal });
    const shared = { ...upstream, timeouts, isSelf, keyLog: this.#keyLog };
    const wayOut = new WayOut({ ...shared, hooks, signal, log: (message) => log("info", message) });
    const config = { ...shared, wayOut, headBytes: limits.headBytes, name: this.#name };
    const use = new UpstreamUse(new Upstream(config, hooks), () => this.#uses.delete(use));
    await wayOut.ready();
    return use;
  }

  /** From now on flows begin with these options, and this way to the servers. */
  #settle(options: WireOptions, use: UpstreamUse): void {
    Object.assign(this.#live, this.#contextOf(options, use));
    this.#uses.add(this.#current = use);
  }

  #contextOf(options: WireOptions, use: UpstreamUse): WireContext {
    const { hooks, ca, observer, log, app, timeouts } = options;
    const context: Omit<WireContext, "now"> = {
      hooks,
      clients: this.#clients,
      ca,
      config: inboundConfig(options),
      upstream: app === undefined
        ? use.upstream
        : new AppServers(app, use.upstream, { timeouts, log, authority: ca.cert }),
      observer: use.observed(observer),
      ...(this.#keyLog && { keyLog: this.#keyLog }),
      closing: this.#closing.signal,
      log,
    };
    const frozen = context as Writable<WireContext>;
    return frozen.now = frozen;
  }
}

function inboundConfig({ timeouts, limits, app, auth = anyone(app), tls, passthrough }: WireOptions): InboundConfig {
  return { timeouts, ...limits, ...(auth && { auth }), ...(tls && { tls }), ...(passthrough && { passthrough }) };
}

function anyone(app: Application | undefined): ProxyCredentials | undefined {
  return app?.asksForName === undefined ? undefined : { username: "", password: "", anyone: app.asksForName };
}

async function shutDown(clients: Iterable<ClientConnection>): Promise<void> {
  const reason = { code: "PROXY_CLOSED", message: "the proxy was closed while the request was in flight" };
  await Promise.all([...clients].map((client) => client.shutDown(reason)));
  // Those that came while others took their leave.
  for (const client of [...clients]) void client.shutDown(reason);
}
