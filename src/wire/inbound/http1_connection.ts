/**
 * A client's connection that speaks HTTP/1.1: one exchange after the other.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { FlowError } from "../../flow/flow_error.ts";
import type { Peer } from "../../flow/peer.ts";
import type { Cut } from "../../flow/shape.ts";
import type { RequestAddress } from "../../flow/request.ts";
import type { BodySink } from "../exchange/body_pipe.ts";
import type { ClientStream } from "../exchange/client_stream.ts";
import type { Detached, Upgrade } from "../exchange/upgrade.ts";
import { Exchange } from "../exchange/exchange.ts";
import { sendPage } from "../exchange/failure.ts";
import type { ResponseOut } from "../exchange/response_out.ts";
import type { RequestHead } from "../http1/head.ts";
import { type Http1Event, Http1Parser } from "../http1/parser.ts";
import type { ProtocolError } from "../http1/protocol_error.ts";
import { MessageReader } from "../message_reader.ts";
import { Watch } from "../watch.ts";
import type { WireContext } from "../wire_context.ts";
import { admits, challenge } from "./admission.ts";
import { Http1Answers } from "./http1_answers.ts";
import { newFlow } from "./new_flow.ts";
import { reportMalformed } from "./report_failed.ts";
import { type Route, Router, tunnelOf } from "./route.ts";
import { type ConnectRequest, Tunnel } from "./tunnel.ts";

/** How long the client may take to read a last response before the connection is cut, in milliseconds. */
const LINGER_MS = 1000;

/** The client's side of HTTP/1.1. */
export class Http1Connection implements ClientStream, ConnectRequest, Upgrade {
  readonly socket: Duplex;
  readonly peer: Peer;
  readonly context: WireContext;

  readonly #route: Route;
  readonly #router: Router;
  readonly #answers: Http1Answers;
  readonly #reader: MessageReader;
  readonly #watch: Watch;
  #exchange: Exchange | undefined;
  #requestDone = true;
  #responseDone = true;
  #closing = false;

  /** @param route what is known of the server */
  constructor(socket: Duplex, peer: Peer, route: Route, context: WireContext) {
    this.socket = socket;
    this.peer = peer;
    this.context = context;
    this.#route = route;
    this.#router = new Router(route);
    this.#answers = new Http1Answers(socket);
    this.#watch = new Watch(() => this.#expired());
    this.#reader = new MessageReader(socket, new Http1Parser("request", { headBytes: context.config.headBytes }), {
      activity: () => this.#activity(),
      event: (event) => this.#event(event),
      malformed: (error) => this.#malformed(error),
      ended: () => this.#ended(),
      finished: () => this.#answers.end(),
    });
    // The "close" that follows every error says all there is to say.
    socket.on("error", () => {});
    socket.on("close", () => this.#closed());
    context.clients.add(this);
  }

  /** Ends what is in flight, and the connection. */
  shutDown(reason: FlowError): void {
    this.#exchange?.fail(reason);
    this.#closing = true;
    this.#watch.close();
    this.socket.destroy();
  }

  /** @inheritdoc */
  readBody(): void {
    if (this.#requestDone) return;
    this.#reader.go();
    if (!this.#requestDone && !this.#reader.stopped && !this.#answers.hesitant) {
      this.#watch.set(this.#timeouts.idle);
    }
  }

  /** @inheritdoc */
  inform(status: number, reason: string, fields: string): boolean {
    if (status === 100 && this.#answers.hesitant) {
      this.#answers.hesitant = false;
      this.#watch.set(this.#timeouts.idle);
    }
    return this.#answers.inform(status, reason, fields);
  }

  /** @inheritdoc */
  respond(out: ResponseOut): BodySink {
    return this.#answers.respond(out);
  }

  /** @inheritdoc */
  drained(callback: () => void): void {
    this.#answers.drained(callback);
  }

  /** @inheritdoc */
  abort(): void {
    this.#closing = true;
    this.#answers.abort(this.#exchange?.responding ? "a head" : "no head");
    this.#watch.set(LINGER_MS);
  }

  /** @inheritdoc */
  cut({ end, garbage }: Cut): void {
    if (garbage !== undefined) this.#answers.garble(garbage);
    if (end !== "reset") return this.#linger();
    this.#closing = true;
    this.#answers.reset();
    this.#watch.set(LINGER_MS);
  }

  /** @inheritdoc */
  done(): void {
    this.#responseDone = true;
    this.#next();
  }

  /** @inheritdoc */
  establish(): Duplex {
    this.#watch.close();
    this.#exchange = undefined;
    // A 2xx to CONNECT has neither body nor framing (RFC 9110 section 9.3.6).
    this.#answers.switchTo(200, "Connection Established", "");
    const early = this.#letGo();
    if (early.length > 0) this.socket.unshift(early);
    return this.socket;
  }

  /** @inheritdoc */
  accept(reason: string, fields: string): Detached {
    this.#watch.close();
    this.#exchange = undefined;
    this.#answers.switchTo(101, reason, fields);
    return { stream: this.socket, early: this.#letGo() };
  }

  // Whatever is spoken now has its own idea of how to end.
  #letGo(): Uint8Array {
    this.context.clients.delete(this);
    return this.#reader.detach();
  }

  #event(event: Http1Event): void {
    switch (event.type) {
      case "head":
        this.#watch.off();
        this.#begin(event.head as RequestHead);
        break;
      case "data":
        this.#answers.hesitant = false;
        if (this.#exchange?.requestData(event) === false) {
          this.#watch.off();
          this.#reader.stop();
        }
        break;
      case "end":
        this.#requestDone = true;
        this.#answers.hesitant = false;
        this.#watch.off();
        // The next request waits until this one is answered: responses leave in the order of their requests.
        this.#reader.stop();
        this.#exchange?.requestEnd(event.trailers);
        this.#next();
        break;
    }
  }

  #begin(head: RequestHead): void {
    this.#reader.stop();
    this.#answers.begin(head);
    this.#requestDone = false;
    this.#responseDone = false;
    const { persistent, keepAlive = Infinity } = this.context.config;
    if (persistent === false || this.context.clients.size > keepAlive) this.#answers.keepAlive = false;
    // In a tunnel the client has authenticated when it asked for it.
    if (this.#route.tunnel === undefined && !admits(this.context, this.peer, head, (it) => this.#addressOf(it))) {
      // The body of a refused request is not waited for.
      if (head.framing.kind !== "none") this.#answers.keepAlive = false;
      challenge(this, head.method);
      return;
    }
    if (head.method === "CONNECT") {
      const tunnel = new Tunnel(this, head);
      this.#exchange = tunnel.exchange;
      tunnel.begin();
      return;
    }
    const { flow, webSocket } = newFlow(head, this.#router.addressOf(head), this.peer);
    this.#exchange = new Exchange(flow, head, this, this.context.now);
    if (webSocket) this.#exchange.upgrade = this;
    this.#exchange.begin();
  }

  #addressOf(head: RequestHead): RequestAddress {
    if (head.method !== "CONNECT") return this.#router.addressOf(head);
    return { scheme: "https", ...tunnelOf(head), target: "*" };
  }

  // Those of the flow in flight; between flows, those of the moment.
  get #timeouts(): WireContext["config"]["timeouts"] {
    return (this.#exchange?.context ?? this.context).config.timeouts;
  }

  // Both halves must be over before the next request is read.
  #next(): void {
    if (!this.#responseDone || this.#closing) return;
    if (!this.#answers.keepAlive) {
      this.#linger();
    } else if (!this.#requestDone) {
      this.readBody();
    } else {
      this.#exchange = undefined;
      this.#reader.go();
      this.#awaitHead();
    }
  }

  // Closing at once would reset the connection under a response that the client has not read yet. What the client still sends
  // is let go unread (RFC 9112 section 9.6).
  #linger(): void {
    this.#closing = true;
    this.#answers.end();
    this.#reader.detach();
    this.socket.resume();
    this.#watch.set(LINGER_MS);
  }

  #activity(): void {
    if (this.#closing || this.#reader.stopped) return;
    if (!this.#requestDone) this.#watch.set(this.#timeouts.idle);
    else this.#awaitHead();
  }

  // A head that has begun must end in time.
  #awaitHead(): void {
    if (this.#exchange === undefined && this.#reader.waiting && !this.#watch.on) {
      this.#watch.set(this.#timeouts.head);
    }
  }

  #expired(): void {
    if (this.#closing) {
      this.socket.destroy();
    } else if (this.#exchange === undefined) {
      this.#refuse({
        code: "CLIENT_TIMEOUT",
        message: `the client did not send a whole request head within ${this.#timeouts.head} ms (timeouts.head)`,
      }, 408);
    } else if (this.#exchange.over) {
      this.#linger();
    } else {
      this.#answers.keepAlive = false;
      this.#exchange.fail({
        code: "CLIENT_TIMEOUT",
        message: `the client sent nothing for ${this.#timeouts.idle} ms in the middle of its request (timeouts.idle)`,
      });
    }
  }

  #malformed(error: ProtocolError): void {
    if (this.#closing) return;
    const failure: FlowError = {
      code: error.code,
      message: `the request is not valid HTTP: ${error.message}`,
      status: error.status,
    };
    this.#answers.keepAlive = false;
    if (this.#exchange?.over) this.#linger();
    else if (this.#exchange !== undefined) this.#exchange.fail(failure);
    else if (error.code === "HTTP_TRUNCATED") this.#answers.end();
    else this.#refuse(failure, error.status);
  }

  #refuse(failure: FlowError, status: number): void {
    this.#answers.keepAlive = false;
    sendPage(this, failure, status, "GET", null);
    this.#linger();
    this.#report({ ...failure, status });
  }

  #report(failure: FlowError): void {
    reportMalformed(this.context, this.peer, this.#route, "1.1", failure);
  }

  #ended(): void {
    if (this.#exchange !== undefined && !this.#exchange.over) this.#exchange.clientGone();
  }

  #closed(): void {
    this.#watch.close();
    this.context.clients.delete(this);
    if (!this.#closing && this.#exchange === undefined && this.#reader.waiting) {
      this.#report({
        code: "CLIENT_ABORTED",
        message: "the client closed the connection in the middle of a request head",
      });
    }
    this.#closing = true;
    this.#ended();
  }
}
