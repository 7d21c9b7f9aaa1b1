/**
 * The way to the servers: which address, which trust, which connection.
 *
 * @module
 */
import net from "node:net";
import tls from "node:tls";
import { bareHost } from "../../flow/authority.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { nextPeerId, type Peer } from "../../flow/peer.ts";
import type { Dispatcher } from "../../hooks/dispatcher.ts";
import { UpstreamConnection } from "./connection.ts";
import { dial, DialError } from "./dial.ts";
import { compileHosts, type HostOverrides } from "./hosts.ts";
import { Pool } from "./pool.ts";

/** How servers are reached. */
export interface UpstreamConfig {
  /** Certificate authorities that are trusted besides the well-known ones, PEM. */
  readonly ca: readonly string[];
  /** Whether the certificate of the server of a flow must be trusted. */
  readonly verify: (flow: HttpFlow) => boolean;
  /** Where names lead to. */
  readonly hosts: Record<string, string>;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly head: number; readonly idle: number };
  /** The largest head of a response, in bytes. */
  readonly headBytes: number;
  /** Whether a connection to this address would come back to this proxy. */
  isSelf(host: string, port: number): boolean;
}

/** A connection for one exchange. */
export interface Lease {
  /** The connection. */
  readonly connection: UpstreamConnection;
  /** Gives it back when the exchange is over: it is kept for the next one where that is possible. */
  release(): void;
}

/** Makes and keeps connections to servers. */
export class Upstream {
  readonly #config: UpstreamConfig;
  readonly #hooks: Dispatcher;
  readonly #hosts: HostOverrides;
  readonly #pool = new Pool();
  readonly #open = new Set<UpstreamConnection>();
  readonly #closing = new AbortController();
  // Every server that is connected, or being connected.
  readonly #peers = new Set<Peer>();
  #onEmpty: (() => void) | undefined;
  #context: tls.SecureContext | undefined;

  /** @param hooks is told of connections */
  constructor(config: UpstreamConfig, hooks: Dispatcher) {
    this.#config = config;
    this.#hooks = hooks;
    this.#hosts = compileHosts(config.hosts);
  }

  /** An idle connection for a flow, if there is one. */
  idle(flow: HttpFlow): Lease | undefined {
    const key = this.#key(flow);
    const connection = this.#pool.take(key);
    return connection && this.#lease(key, connection, flow);
  }

  /**
   * A new connection for a flow.
   *
   * @throws {DialError} the server cannot be reached, or is this proxy
   * @throws {HookError} a `serverConnect` hook threw
   */
  async connect(flow: HttpFlow): Promise<Lease> {
    const key = this.#key(flow);
    const { hostname, port, scheme } = flow.request;
    const to = this.#hosts(hostname, port);
    const peer: Peer = { id: nextPeerId(), host: bareHost(to.hostname), port: to.port };
    flow.server = peer;
    const started = performance.now();
    try {
      await this.#hooks.run("serverConnect", peer);
      this.#peers.add(peer);
      if (this.#config.isSelf(peer.host, peer.port)) throw loop(flow);
      flow.timings.connectStart = started - flow.origin;
      const secure = scheme === "https" || scheme === "wss";
      const { socket, times } = await dial(peer, {
        hostname: bareHost(hostname),
        timeout: this.#config.timeouts.connect,
        signal: this.#closing.signal,
        ...(secure ? { tls: this.#tlsOptions(flow) } : {}),
      });
      flow.timings.connectEnd = times.connected - flow.origin;
      if (secure) flow.timings.tlsEnd = times.secured - flow.origin;
      const connection = new UpstreamConnection(socket, peer, this.#config, () => this.#closed(key, connection));
      this.#open.add(connection);
      return this.#lease(key, connection, flow);
    } catch (error) {
      peer.error = failureOf(error);
      this.#disconnected(peer);
      throw error;
    }
  }

  /** Cuts every connection. Resolves when all are closed. */
  async close(): Promise<void> {
    const empty = new Promise<void>((resolve) => this.#peers.size === 0 ? resolve() : this.#onEmpty = resolve);
    this.#closing.abort();
    for (const connection of this.#open) connection.destroy();
    await empty;
  }

  #lease(key: string, connection: UpstreamConnection, flow: HttpFlow): Lease {
    flow.server = connection.peer;
    return {
      connection,
      release: () => {
        if (connection.finish() && !this.#closing.signal.aborted) this.#pool.put(key, connection);
        else connection.destroy();
      },
    };
  }

  #key(flow: HttpFlow): string {
    const { scheme, hostname, port } = flow.request;
    if (scheme === "http" || scheme === "ws") return `${hostname}:${port}`;
    return `${this.#config.verify(flow) ? "tls" : "tls-unverified"} ${hostname}:${port} ${serverNameOf(flow)}`;
  }

  #tlsOptions(flow: HttpFlow): { serverName: string; verify: boolean; context: tls.SecureContext } {
    return {
      serverName: serverNameOf(flow),
      verify: this.#config.verify(flow),
      context: this.#context ??= this.#trust(),
    };
  }

  #trust(): tls.SecureContext {
    const { ca } = this.#config;
    return ca.length === 0 ? (defaultContext ??= tls.createSecureContext()) : tls.createSecureContext({
      ca: [...(tls.getCACertificates?.("default") ?? tls.rootCertificates), ...ca],
    });
  }

  #closed(key: string, connection: UpstreamConnection): void {
    this.#open.delete(connection);
    this.#pool.drop(key, connection);
    this.#disconnected(connection.peer);
  }

  #disconnected(peer: Peer): void {
    // The dispatcher reports what a hook throws; there is no flow that could fail for it.
    try {
      this.#hooks.run("serverDisconnect", peer)?.catch(() => {});
    } catch {
      // Reported.
    }
    this.#peers.delete(peer);
    if (this.#peers.size === 0) this.#onEmpty?.();
  }
}

/** Besides dialling, only a hook can fail. */
function failureOf(error: unknown): FlowError {
  if (error instanceof DialError) return error.failure;
  return { code: "HOOK_FAILED", message: error instanceof Error ? error.message : String(error) };
}

function loop(flow: HttpFlow): DialError {
  return new DialError({
    code: "LOOP",
    message:
      `${flow.request.url} leads to this proxy itself: send requests for other servers through it, or set upstream: { hosts }`,
  });
}

/** Without further authorities one context serves the process: making one reads every well-known certificate. */
let defaultContext: tls.SecureContext | undefined;

/** A client that connected to an address may still have named the server in its own TLS hello. */
function serverNameOf(flow: HttpFlow): string {
  const host = bareHost(flow.request.hostname);
  return net.isIP(host) ? flow.client.tls?.serverName ?? host : host;
}
