/**
 * From the wish for a connection to the connection: its way, the loops that it must not become, and what hooks and flow are told.
 *
 * @module
 */
import type { Socket } from "node:net";
import { bareHost } from "../../flow/authority.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import type { Dispatcher } from "../../hooks/dispatcher.ts";
import type { HookName } from "../../hooks/table.ts";
import { type Trail, trailOf } from "../trail.ts";
import { DialError, type DialOptions } from "./dial.ts";
import { tellEstablished } from "./established.ts";
import type { WayOut } from "./way_out.ts";

/** How servers are reached. */
export interface ReachConfig {
  /** Which way flows go. */
  readonly wayOut: WayOut;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number };
  /** What this proxy is called among proxies. */
  readonly name: string;
  /** Whether a connection to this address would come back to this proxy. */
  isSelf(host: string, port: number): Promise<boolean>;
}

/** Makes connections, and knows of every server that is connected or being connected. */
export class Reach {
  readonly #config: ReachConfig;
  readonly #hooks: Dispatcher;
  readonly #closing = new AbortController();
  readonly #peers = new Set<Peer>();
  #onEmpty: (() => void) | undefined;

  /** @param hooks is told of connections */
  constructor(config: ReachConfig, hooks: Dispatcher) {
    this.#config = config;
    this.#hooks = hooks;
  }

  /** Whether there are to be no more connections. */
  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * Connects to the server of a flow.
   *
   * @param use is given the connection; what it throws is a failure of the connection
   * @throws {DialError} the server cannot be reached, or is this proxy
   * @throws {HookError} a `serverConnect` hook threw
   */
  async open<T>(
    flow: HttpFlow | TcpFlow,
    how: Pick<DialOptions, "tls" | "halfOpen">,
    use: (socket: Socket, peer: Peer) => T | Promise<T>,
  ): Promise<T> {
    const { wayOut, name, timeouts } = this.#config;
    const way = wayOut.known(flow) ?? await wayOut.find(flow);
    const { hostname, port } = flow.type === "http" ? flow.request : flow;
    const peer = wayOut.server(way, { hostname, port });
    const { timings, origin } = flow;
    flow.server = peer;
    const started = performance.now();
    try {
      await this.#hooks.run("serverConnect", peer);
      this.#peers.add(peer);
      const trail = trailOf(flow.client);
      if (trail.includes(name)) throw ring(flow, trail);
      if (await this.#config.isSelf(peer.host, peer.port)) throw loop(flow);
      timings.connectStart = started - origin;
      const { socket, times } = await wayOut.open(way, peer, {
        ...how,
        client: flow.client,
        trail: [...trail, name],
        hostname: bareHost(hostname),
        timeout: timeouts.connect,
        signal: this.#closing.signal,
      });
      if (times.resolved !== undefined) timings.dnsEnd = times.resolved - origin;
      timings.connectEnd = times.connected - origin;
      if (how.tls !== undefined) {
        timings.tlsEnd = times.secured - origin;
        await tellEstablished(socket, peer, this.#hooks, this.#closing.signal);
      }
      return await use(socket, peer);
    } catch (error) {
      this.#failed(peer, error);
      throw error;
    }
  }

  /** A connection that was made is closed. */
  disconnected(peer: Peer): void {
    this.#tell("serverDisconnect", peer);
    this.#peers.delete(peer);
    if (this.#peers.size === 0) this.#onEmpty?.();
  }

  /** Gives up what is being connected. Resolves when every server is disconnected. */
  close(): Promise<void> {
    const empty = new Promise<void>((resolve) => this.#peers.size === 0 ? resolve() : this.#onEmpty = resolve);
    this.#closing.abort();
    return empty;
  }

  #failed(peer: Peer, error: unknown): void {
    peer.error = failureOf(error);
    if (error instanceof DialError && error.stage === "tls") this.#tell("tlsFailed", "server", peer);
    this.#tell("serverConnectError", peer);
    this.disconnected(peer);
  }

  // The dispatcher reports what a hook throws; there is no flow that could fail for it.
  #tell(hook: HookName, subject: unknown, more?: unknown): void {
    try {
      this.#hooks.run(hook, subject, more)?.catch(() => {});
    } catch {
      // Reported.
    }
  }
}

/** Besides dialling, only a hook can fail. */
function failureOf(error: unknown): FlowError {
  if (error instanceof DialError) return error.failure;
  return { code: "HOOK_FAILED", message: error instanceof Error ? error.message : String(error) };
}

function loop(flow: HttpFlow | TcpFlow): DialError {
  return new DialError({
    code: "LOOP",
    message: `${nameOf(flow)} leads to this proxy itself: send requests for other servers through it, or set ` +
      `upstream: { hosts }`,
  });
}

function ring(flow: HttpFlow | TcpFlow, trail: Trail): DialError {
  const others = trail.length - 1;
  const how = others === 1 ? "another proxy" : `${others} other proxies`;
  return new DialError({
    code: "LOOP",
    message: `${nameOf(flow)} has come back to this proxy through ${how}: they send requests to one another. Change ` +
      `upstream.proxy or upstream.hosts of one of them, or let its upstream.noProxy match the server`,
  });
}

function nameOf(flow: HttpFlow | TcpFlow): string {
  return flow.type === "http" ? flow.request.url : `the conversation with ${flow.hostname}:${flow.port}`;
}
