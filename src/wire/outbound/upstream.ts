/**
 * The way to the servers: which address, which trust, which connection.
 *
 * @module
 */
import net from "node:net";
import { bareHost } from "../../flow/authority.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import type { Dispatcher } from "../../hooks/dispatcher.ts";
import type { HookName } from "../../hooks/table.ts";
import type { UpstreamStream } from "../exchange/upstream_stream.ts";
import { Http2Pool, type Negotiated } from "../http2/pool.ts";
import type { Http2UpstreamConnection } from "../http2/upstream_connection.ts";
import { UpstreamConnection } from "./connection.ts";
import { type Trail, trailOf } from "../trail.ts";
import { DialError, type DialOptions, type DialTls } from "./dial.ts";
import { tellEstablished } from "./established.ts";
import { openForWebSocket } from "./open_for_websocket.ts";
import { Pool } from "./pool.ts";
import { Trust, type TrustConfig } from "./trust.ts";
import type { WayOut } from "./way_out.ts";

/** How servers are reached. */
export interface UpstreamConfig extends TrustConfig {
  /** Whether the certificate of the server of a flow must be trusted. */
  readonly verify: (flow: HttpFlow) => boolean;
  /** Which way flows go. */
  readonly wayOut: WayOut;
  /** Whether servers may speak HTTP/2. */
  readonly http2: boolean;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly head: number; readonly idle: number };
  /** The largest head of a response, in bytes. */
  readonly headBytes: number;
  /** Whether a connection of HTTP/1.1 serves more than one request; it does by default. */
  readonly persistent?: boolean;
  /** What this proxy is called among proxies. */
  readonly name: string;
  /** Whether a connection to this address would come back to this proxy. */
  isSelf(host: string, port: number): Promise<boolean>;
}

/** Makes and keeps connections to servers. */
export class Upstream {
  readonly #config: UpstreamConfig;
  readonly #hooks: Dispatcher;
  readonly #wayOut: WayOut;
  readonly #pool = new Pool();
  readonly #http2 = new Http2Pool();
  readonly #open = new Set<{ destroy(): unknown }>();
  readonly #closing = new AbortController();
  // Every server that is connected, or being connected.
  readonly #peers = new Set<Peer>();
  readonly #trust: Trust;
  #onEmpty: (() => void) | undefined;

  /** @param hooks is told of connections */
  constructor(config: UpstreamConfig, hooks: Dispatcher) {
    this.#config = config;
    this.#hooks = hooks;
    this.#wayOut = config.wayOut;
    this.#trust = new Trust(config);
  }

  /** An idle connection for a flow, if there is one. */
  idle(flow: HttpFlow): UpstreamStream | undefined {
    // Without its way it is not known which connections are right for it.
    if (this.#wayOut.known(flow) === undefined) return undefined;
    const key = this.#key(flow);
    const connection = this.#pool.take(key) ?? (this.#mayUseHttp2(flow, key) ? this.#http2.take(key) : undefined);
    if (connection !== undefined) flow.server = connection.peer;
    return connection;
  }

  /**
   * A connection for a flow: a new one, unless the way had to be found first and one waits at its end.
   *
   * @throws {DialError} the server cannot be reached, or is this proxy
   * @throws {FlowtapeError} the way cannot be found
   * @throws {HookError} a `serverConnect` hook threw
   */
  async connect(flow: HttpFlow): Promise<UpstreamStream> {
    const { scheme } = flow.request;
    const webSocket = scheme === "ws" || scheme === "wss";
    if (this.#wayOut.known(flow) === undefined) {
      await this.#wayOut.find(flow);
      const waiting = webSocket ? undefined : this.idle(flow);
      if (waiting !== undefined) return waiting;
    }
    const key = this.#key(flow);
    if (webSocket) return await this.#webSocket(flow, key);
    if (!this.#mayUseHttp2(flow, key)) return await this.#speakHttp1(flow, key);
    const negotiation = this.#http2.negotiation(key);
    if (negotiation === undefined) return await this.#http2.negotiate(key, () => this.#negotiate(flow, key));
    // One connection may be enough for all that want one now.
    await negotiation;
    return this.idle(flow) ?? await this.connect(flow);
  }

  /**
   * A connection for a conversation of raw bytes. It is never reused, and either side of it can be ended alone.
   *
   * @param secure the request for the tunnel, when TLS is to be spoken with the server
   * @throws {DialError} the server cannot be reached, or is this proxy
   * @throws {HookError} a `serverConnect` hook threw
   */
  tcp(flow: TcpFlow, secure?: HttpFlow): Promise<net.Socket> {
    const tls = secure && { tls: { ...this.#tlsOptions(secure), alpn: [] } };
    return this.#reach(flow, flow, { ...tls, halfOpen: true }, (socket, peer) => {
      const closed = () => {
        if (this.#open.delete(socket)) this.#disconnected(peer);
      };
      this.#open.add(socket);
      socket.once("close", closed);
      if (socket.destroyed) closed();
      return socket;
    });
  }

  /** Cuts every connection. Resolves when all are closed. */
  async close(): Promise<void> {
    const empty = new Promise<void>((resolve) => this.#peers.size === 0 ? resolve() : this.#onEmpty = resolve);
    this.#closing.abort();
    for (const connection of this.#open) connection.destroy();
    await empty;
  }

  // Everything between the wish for a connection and the connection, told to the hooks and to the flow.
  async #reach<T>(
    flow: HttpFlow | TcpFlow,
    { hostname, port }: { readonly hostname: string; readonly port: number },
    how: Pick<DialOptions, "tls" | "halfOpen">,
    use: (socket: net.Socket, peer: Peer) => T | Promise<T>,
  ): Promise<T> {
    const way = this.#wayOut.known(flow) ?? await this.#wayOut.find(flow);
    const peer = this.#wayOut.server(way, { hostname, port });
    const { timings, origin } = flow;
    flow.server = peer;
    const started = performance.now();
    try {
      await this.#hooks.run("serverConnect", peer);
      this.#peers.add(peer);
      const trail = trailOf(flow.client);
      if (trail.includes(this.#config.name)) throw ring(flow, trail);
      if (await this.#config.isSelf(peer.host, peer.port)) throw loop(flow);
      timings.connectStart = started - origin;
      const { socket, times } = await this.#wayOut.open(way, peer, {
        ...how,
        client: flow.client,
        trail: [...trail, this.#config.name],
        hostname: bareHost(hostname),
        timeout: this.#config.timeouts.connect,
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

  #webSocket(flow: HttpFlow, key: string): Promise<UpstreamStream> {
    const http1 = () => this.#speakHttp1(flow, key);
    if (!this.#config.http2) return http1();
    return openForWebSocket({
      http1,
      http2First: flow.request.httpVersion === "2",
      either: () => this.#either(flow, key),
    });
  }

  async #either(flow: HttpFlow, key: string): Promise<UpstreamStream | undefined> {
    for (;;) {
      if (this.#http2.isHttp1(key)) return undefined;
      const stream = this.#http2.take(key);
      if (stream !== undefined) {
        flow.server = stream.peer;
        return stream;
      }
      const negotiation = this.#http2.negotiation(key);
      if (negotiation === undefined) return await this.#http2.negotiate(key, () => this.#negotiate(flow, key));
      await negotiation;
    }
  }

  #speakHttp1(flow: HttpFlow, key: string): Promise<UpstreamStream> {
    const tls = isSecure(flow) ? { tls: this.#tlsOptions(flow) } : {};
    return this.#reach(flow, flow.request, tls, (socket, peer) => this.#http1Connection(key, socket, peer));
  }

  #http1Connection(key: string, socket: net.Socket, peer: Peer): UpstreamConnection {
    const connection = new UpstreamConnection(socket, peer, this.#config, {
      idle: (connection) => {
        if (this.#closing.signal.aborted) connection.destroy();
        else this.#pool.put(key, connection);
      },
      closed: (connection) => {
        this.#pool.drop(key, connection);
        this.#closed(connection);
      },
    });
    this.#open.add(connection);
    return connection;
  }

  // Behind TLS both agree on a version (RFC 7301). Without it a client that speaks HTTP/2 with prior knowledge surely knows that its
  // server does too; where that is not so, the server says something else than SETTINGS, or nothing.
  async #negotiate(flow: HttpFlow, key: string): Promise<Negotiated> {
    const tls = isSecure(flow) ? { tls: { ...this.#tlsOptions(flow), alpn: ["h2", "http/1.1"] } } : {};
    type Either = UpstreamConnection | Http2UpstreamConnection;
    const connection = await this.#reach<Either>(flow, flow.request, tls, (socket, peer) => {
      if (isSecure(flow) && peer.tls?.alpn !== "h2") return this.#http1Connection(key, socket, peer);
      return this.#http2Connection(key, socket, peer);
    });
    if (connection instanceof UpstreamConnection) {
      this.#http2.setHttp1(key);
      return { stream: connection };
    }
    if (isSecure(flow) || await connection.greeting) {
      this.#http2.add(key, connection);
      return { stream: connection.open(), ready: connection.greeting };
    }
    connection.destroy();
    this.#http2.setHttp1(key);
    return { stream: await this.#speakHttp1(flow, key) };
  }

  async #http2Connection(key: string, socket: net.Socket, peer: Peer): Promise<Http2UpstreamConnection> {
    this.#open.add(socket);
    const { Http2UpstreamConnection } = await import("../http2/upstream_connection.ts");
    this.#open.delete(socket);
    const connection = new Http2UpstreamConnection(socket, peer, this.#config, {
      wantsHttp1: () => this.#http2.setHttp1(key),
      closed: (connection) => {
        this.#http2.drop(key, connection);
        this.#closed(connection);
      },
    });
    this.#open.add(connection);
    return connection;
  }

  #mayUseHttp2({ request }: HttpFlow, key: string): boolean {
    if (!this.#config.http2 || this.#http2.isHttp1(key)) return false;
    return request.scheme === "https" || request.scheme === "http" && request.httpVersion === "2";
  }

  #key(flow: HttpFlow): string {
    const { scheme, hostname, port } = flow.request;
    // What has come another way may not go on over the same connection: its other end would take it for the first.
    const place = `${hostname}:${port} ${this.#wayOut.known(flow)!.key} ${trailOf(flow.client).join()}`;
    if (scheme === "http" || scheme === "ws") return place;
    return `${this.#config.verify(flow) ? "tls" : "tls-unverified"} ${place} ${serverNameOf(flow)}`;
  }

  #tlsOptions(flow: HttpFlow): DialTls {
    const { hostname, port } = flow.request;
    return this.#trust.for(hostname, port, { serverName: serverNameOf(flow), verify: this.#config.verify(flow) });
  }

  #failed(peer: Peer, error: unknown): void {
    peer.error = failureOf(error);
    if (error instanceof DialError && error.stage === "tls") this.#tell("tlsFailed", "server", peer);
    this.#tell("serverConnectError", peer);
    this.#disconnected(peer);
  }

  // The dispatcher reports what a hook throws; there is no flow that could fail for it.
  #tell(hook: HookName, subject: unknown, more?: unknown): void {
    try {
      this.#hooks.run(hook, subject, more)?.catch(() => {});
    } catch {
      // Reported.
    }
  }

  #closed(connection: UpstreamConnection | Http2UpstreamConnection): void {
    this.#open.delete(connection);
    this.#disconnected(connection.peer);
  }

  #disconnected(peer: Peer): void {
    this.#tell("serverDisconnect", peer);
    this.#peers.delete(peer);
    if (this.#peers.size === 0) this.#onEmpty?.();
  }
}

function isSecure({ request: { scheme } }: HttpFlow): boolean {
  return scheme === "https" || scheme === "wss";
}

/** Besides dialling, only a hook can fail. */
function failureOf(error: unknown): FlowError {
  if (error instanceof DialError) return error.failure;
  return { code: "HOOK_FAILED", message: error instanceof Error ? error.message : String(error) };
}

function loop(flow: HttpFlow | TcpFlow): DialError {
  return new DialError({
    code: "LOOP",
    message: `${
      nameOf(flow)
    } leads to this proxy itself: send requests for other servers through it, or set upstream: { hosts }`,
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

/** A client that connected to an address may still have named the server in its own TLS hello. */
function serverNameOf(flow: HttpFlow): string {
  const host = bareHost(flow.request.hostname);
  // Without the dot of a whole name (RFC 6066 section 3).
  return net.isIP(host) ? flow.client.tls?.serverName ?? host : host.replace(/\.$/, "");
}
