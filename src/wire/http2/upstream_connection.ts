/**
 * A connection to a server that speaks HTTP/2: many exchanges at once.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Peer } from "../../flow/peer.ts";
import type { Cut } from "../../flow/shape.ts";
import type { UpstreamTimeouts } from "../outbound/failure.ts";
import { Outgoing } from "../outgoing.ts";
import { breakConnection } from "../shape/break_connection.ts";
import { Watch } from "../watch.ts";
import type { Http2Error } from "./http2_error.ts";
import { Http2Session, type SessionUser } from "./session.ts";
import { UpstreamRequest } from "./upstream_request.ts";

/** How long a connection without streams is kept, in milliseconds. */
const IDLE_MS = 4000;
/** How long a server that was told something has to read it, in milliseconds. */
const LINGER_MS = 1000;

/** Who keeps the connections. */
export interface Http2Keeper {
  /** The server wants the request in HTTP/1.1, and surely the next one too (RFC 9113 section 7). */
  wantsHttp1(): void;
  /** The connection is closed; called once. */
  closed(connection: Http2UpstreamConnection): void;
}

/** A connection to a server, for as many exchanges at once as the server lets it have. */
export class Http2UpstreamConnection implements SessionUser {
  /** What is known of the server. */
  readonly peer: Peer;
  /** How long the server may take. */
  readonly timeouts: UpstreamTimeouts;
  /** What has happened to the socket. */
  error: unknown;

  readonly #socket: Socket;
  readonly #out: Outgoing;
  readonly #session: Http2Session;
  readonly #keeper: Http2Keeper;
  readonly #watch: Watch;
  readonly #greeting = Promise.withResolvers<boolean>();
  #uses = 0;
  #closed = false;

  /**
   * @param socket connected
   * @param keeper is told what becomes of the connection
   */
  constructor(
    socket: Socket,
    peer: Peer,
    options: { timeouts: UpstreamTimeouts; headBytes: number },
    keeper: Http2Keeper,
  ) {
    this.#socket = socket;
    this.peer = peer;
    this.timeouts = options.timeouts;
    this.#keeper = keeper;
    this.#out = new Outgoing(socket);
    this.#session = new Http2Session("client", this.#out, this, options);
    this.#watch = new Watch(() => this.#expired());
    socket.on("data", (bytes: Uint8Array) => this.#session.receive(bytes));
    socket.on("end", () => this.#end());
    socket.on("error", (error) => this.error = error);
    socket.on("close", () => this.#socketClosed());
    if (socket.destroyed) queueMicrotask(() => this.#socketClosed());
    this.#session.start();
    this.#watch.set(IDLE_MS);
  }

  /** Resolves when the server has spoken: whether it speaks HTTP/2. */
  get greeting(): Promise<boolean> {
    return this.#greeting.promise;
  }

  /** `host:port`, for messages. */
  get name(): string {
    return `${this.peer.host}:${this.peer.port}`;
  }

  /** Whether another exchange can be begun. */
  get available(): boolean {
    // How many streams it takes is known when it has spoken; one can be begun at once.
    return !this.#closed && this.#session.available && (this.#session.greeted || this.#session.size === 0);
  }

  /** Whether the server takes WebSockets in streams (RFC 8441 section 3); known when it has {@linkcode greeting | spoken}. */
  get takesWebSockets(): boolean {
    return !this.#closed && this.#session.connectProtocol;
  }

  /** Whether the server has been asked before. */
  get reused(): boolean {
    return this.#uses > 1;
  }

  /** The stream of another exchange. */
  open(): UpstreamRequest {
    this.#uses++;
    this.#watch.off();
    return new UpstreamRequest(this.#session.open(), this);
  }

  /** The server wants HTTP/1.1. */
  wantsHttp1(): void {
    this.#keeper.wantsHttp1();
  }

  /** Breaks the connection on purpose, with everything on it. */
  cut(cut: Cut): void {
    this.#session.goingAway = true;
    this.#watch.set(LINGER_MS);
    this.#out.settled(() => breakConnection(this.#socket, cut));
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#watch.close();
    this.#session.goingAway = true;
    this.#socket.destroy();
  }

  /** @inheritdoc */
  greeted(): void {
    this.#greeting.resolve(true);
  }

  /** @inheritdoc */
  closedStream(): void {
    if (this.#session.size > 0) return;
    if (this.#session.goingAway) this.#leave();
    else this.#watch.set(IDLE_MS);
  }

  /** @inheritdoc */
  goingAway(): void {
    if (this.#session.size === 0) this.#leave();
  }

  /** @inheritdoc */
  invalid(_error: Http2Error): void {
    this.#greeting.resolve(false);
    this.#leave();
  }

  // Nobody has used it for a while, or it was to end and does not.
  #expired(): void {
    if (this.#session.goingAway || !this.#session.greeted) return this.destroy();
    this.#session.goAway();
    this.#leave();
  }

  #leave(): void {
    this.#out.end();
    this.#watch.set(LINGER_MS);
  }

  #end(): void {
    this.#greeting.resolve(false);
    this.#session.lose();
    this.#leave();
  }

  #socketClosed(): void {
    this.#greeting.resolve(false);
    this.#watch.close();
    this.#session.lose();
    if (this.#closed) return;
    this.#closed = true;
    this.#keeper.closed(this);
  }
}
