/**
 * A client's connection that speaks HTTP/2: many exchanges at once.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { FlowError } from "../../flow/flow_error.ts";
import type { Peer } from "../../flow/peer.ts";
import type { Cut } from "../../flow/shape.ts";
import { resetConnection } from "../inbound/reset.ts";
import { reportMalformed } from "../inbound/report_failed.ts";
import { type Route, Router } from "../inbound/route.ts";
import { Outgoing } from "../outgoing.ts";
import { Watch } from "../watch.ts";
import type { ClientConnection, WireContext } from "../wire_context.ts";
import { ClientRequest } from "./client_request.ts";
import type { Http2Error } from "./http2_error.ts";
import { type RequestFields, requestFields } from "./message_fields.ts";
import { Http2Session, type SessionUser } from "./session.ts";
import type { Http2Stream } from "./stream.ts";
import type { StreamSocket } from "./stream_socket.ts";

/** How long the client may take to read why its connection ends, in milliseconds. */
const LINGER_MS = 1000;
/** How long what is carried in streams may take to say goodbye when the proxy is closed, in milliseconds. */
const GOODBYE_MS = 500;

/** The client's side of HTTP/2. */
export class Http2ClientConnection implements SessionUser, ClientConnection {
  /** The client. */
  readonly peer: Peer;
  /** What is known of the server. */
  readonly route: Route;
  /** What the connections of the proxy share. */
  readonly context: WireContext;
  /** Finds the addresses of requests. */
  readonly router: Router;

  readonly #socket: Duplex;
  readonly #out: Outgoing;
  readonly #session: Http2Session;
  readonly #requests = new Set<ClientRequest>();
  readonly #carried = new Set<StreamSocket>();
  readonly #watch: Watch;
  #onUncarried: (() => void) | undefined;
  #closing = false;

  /** @param route what is known of the server */
  constructor(socket: Duplex, peer: Peer, route: Route, context: WireContext) {
    this.#socket = socket;
    this.peer = peer;
    this.route = route;
    this.context = context;
    this.router = new Router(route);
    this.#out = new Outgoing(socket);
    this.#watch = new Watch(() => this.#expired());
    this.#session = new Http2Session("server", this.#out, this, context.config);
    socket.on("data", (bytes: Uint8Array) => this.#receive(bytes));
    socket.on("end", () => this.#gone());
    // The "close" that follows every error says all there is to say.
    socket.on("error", () => {});
    socket.on("close", () => this.#closed());
    context.clients.add(this);
    this.#session.start();
    this.#watch.set(context.config.timeouts.head);
  }

  /** @inheritdoc */
  opened(stream: Http2Stream, raw: string[] | undefined, end: boolean): void {
    if (raw === undefined) return this.#refuse(stream);
    let fields: RequestFields;
    try {
      fields = requestFields(raw, end, stream.id);
    } catch (error) {
      this.#report(error as Http2Error);
      throw error;
    }
    const { framing } = fields.head;
    if (framing.kind === "length") stream.expected = framing.length;
    const request = new ClientRequest(stream, this);
    this.#requests.add(request);
    request.begin(fields, end);
    // Who speaks HTTP/2 unasked is told that the connection serves this one request.
    if (this.context.config.persistent === false && !this.#session.goingAway) this.#session.goAway();
  }

  /** @inheritdoc */
  closedStream(): void {
    if (this.#session.goingAway && this.#session.size === 0 && !this.#closing) this.#out.end();
  }

  /** @inheritdoc */
  goingAway(): void {
    this.closedStream();
  }

  /** @inheritdoc */
  invalid(error: Http2Error): void {
    this.#report(error);
    this.#linger();
  }

  /** A request is over. */
  forget(request: ClientRequest): void {
    this.#requests.delete(request);
  }

  /** A stream carries another protocol from now on. */
  carry(socket: StreamSocket): void {
    this.#carried.add(socket);
    socket.on("close", () => {
      this.#carried.delete(socket);
      if (this.#carried.size === 0) this.#onUncarried?.();
    });
  }

  /** Breaks the connection on purpose, with everything on it. */
  cut({ end, garbage }: Cut, reason: FlowError): void {
    if (this.#closing) return;
    const message = `another request broke the connection: ${reason.message}`;
    this.#closing = true;
    for (const request of [...this.#requests]) request.fail({ code: reason.code, message });
    if (garbage !== undefined) this.#out.push(garbage);
    else if (end !== "reset") this.#session.goAway();
    if (end === "reset") this.#out.settled(() => resetConnection(this.#socket));
    else this.#linger();
    this.#session.lose();
    this.#watch.set(LINGER_MS);
  }

  /** @inheritdoc */
  async shutDown(reason: FlowError): Promise<void> {
    for (const request of [...this.#requests]) request.fail(reason);
    this.#session.goAway();
    // Those say goodbye themselves.
    if (this.#carried.size > 0) {
      const gone = Promise.withResolvers<void>();
      this.#onUncarried = gone.resolve;
      const patience = new Watch(gone.resolve);
      patience.set(GOODBYE_MS);
      await gone.promise;
      patience.close();
    }
    this.#closing = true;
    this.#watch.close();
    this.#out.flush();
    this.#socket.destroy();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#closing) return;
    this.#session.receive(bytes);
    if (this.#closing) return;
    // What has begun must be completed in time: the preface, a frame, a field section.
    if (!this.#session.waiting) this.#watch.off();
    else if (!this.#watch.on) this.#watch.set(this.context.config.timeouts.head);
  }

  #expired(): void {
    if (this.#closing) {
      this.#socket.destroy();
      return;
    }
    const { head } = this.context.config.timeouts;
    this.#fail({
      code: "CLIENT_TIMEOUT",
      message: `the client did not complete what it had begun to send within ${head} ms (timeouts.head)`,
    });
    this.#session.goAway();
    this.#session.lose();
    this.#linger();
  }

  #refuse(stream: Http2Stream): void {
    const failure: FlowError = {
      code: "HTTP_HEADERS_TOO_LARGE",
      message: `the head of the request is larger than ${this.context.config.headBytes} bytes (limits.headBytes)`,
      status: 431,
    };
    ClientRequest.refuse(stream, this, failure, 431);
    this.#fail(failure);
  }

  #report(error: Http2Error): void {
    this.#fail({ code: `HTTP2_${error.code}`, message: `the client breaks HTTP/2: ${error.message}` });
  }

  #fail(failure: FlowError): void {
    reportMalformed(this.context, this.peer, this.route, "2", failure);
  }

  #linger(): void {
    this.#closing = true;
    this.#out.end();
    this.#watch.set(LINGER_MS);
  }

  #gone(): void {
    this.#session.lose();
    this.#out.end();
  }

  #closed(): void {
    this.#closing = true;
    this.#watch.close();
    this.context.clients.delete(this);
    this.#session.lose();
  }
}
