/**
 * The way to the servers: which address, which trust, which connection.
 *
 * @module
 */
import net from "node:net";
import { bareHost } from "../../flow/authority.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { TcpFlow } from "../../flow/tcp_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import type { Dispatcher } from "../../hooks/dispatcher.ts";
import type { UpstreamStream } from "../exchange/upstream_stream.ts";
import { Http2Pool, type Negotiated } from "../http2/pool.ts";
import type { Http2UpstreamConnection } from "../http2/upstream_connection.ts";
import { UpstreamConnection } from "./connection.ts";
import { trailOf } from "../trail.ts";
import type { DialTls } from "./dial.ts";
import { openForWebSocket } from "./open_for_websocket.ts";
import { Pool } from "./pool.ts";
import { Reach, type ReachConfig } from "./reach.ts";
import { Trust, type TrustConfig } from "./trust.ts";
import type { WayOut } from "./way_out.ts";

/** How servers are reached. */
export interface UpstreamConfig extends TrustConfig, ReachConfig {
  /** Whether the certificate of the server of a flow must be trusted. */
  readonly verify: (flow: HttpFlow) => boolean;
  /** Whether servers may speak HTTP/2. */
  readonly http2: boolean;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly head: number; readonly idle: number };
  /** The largest head of a response, in bytes. */
  readonly headBytes: number;
  /** Whether a connection of HTTP/1.1 serves more than one request; it does by default. */
  readonly persistent?: boolean;
}

/** Makes and keeps connections to servers. */
export class Upstream {
  readonly #config: UpstreamConfig;
  readonly #wayOut: WayOut;
  readonly #pool = new Pool();
  readonly #http2 = new Http2Pool();
  readonly #open = new Set<{ destroy(): unknown }>();
  readonly #trust: Trust;
  readonly #reach: Reach;

  /** @param hooks is told of connections */
  constructor(config: UpstreamConfig, hooks: Dispatcher) {
    this.#config = config;
    this.#wayOut = config.wayOut;
    this.#trust = new Trust(config);
    this.#reach = new Reach(config, hooks);
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
    return this.#reach.open(flow, { ...tls, halfOpen: true }, (socket, peer) => {
      const closed = () => {
        if (this.#open.delete(socket)) this.#reach.disconnected(peer);
      };
      this.#open.add(socket);
      socket.once("close", closed);
      if (socket.destroyed) closed();
      return socket;
    });
  }

  /** Cuts every connection. Resolves when all are closed. */
  async close(): Promise<void> {
    const disconnected = this.#reach.close();
    for (const connection of this.#open) connection.destroy();
    await disconnected;
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
    return this.#reach.open(flow, tls, (socket, peer) => this.#http1Connection(key, socket, peer));
  }

  #http1Connection(key: string, socket: net.Socket, peer: Peer): UpstreamConnection {
    const connection = new UpstreamConnection(socket, peer, this.#config, {
      idle: (connection) => {
        if (this.#reach.closed) connection.destroy();
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
    const connection = await this.#reach.open<Either>(flow, tls, (socket, peer) => {
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
    if (request.scheme === "https") return true;
    // A client that spoke it behind TLS has not said that a server without TLS, to which a rule has sent the request, does.
    return request.scheme === "http" && request.httpVersion === "2" && request.originalUrl.startsWith("http:");
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

  #closed(connection: UpstreamConnection | Http2UpstreamConnection): void {
    this.#open.delete(connection);
    this.#reach.disconnected(connection.peer);
  }
}

function isSecure({ request: { scheme } }: HttpFlow): boolean {
  return scheme === "https" || scheme === "wss";
}

/** A client that connected to an address may still have named the server in its own TLS hello. */
function serverNameOf(flow: HttpFlow): string {
  const host = bareHost(flow.request.hostname);
  // Without the dot of a whole name (RFC 6066 section 3).
  return net.isIP(host) ? flow.client.tls?.serverName ?? host : host.replace(/\.$/, "");
}
