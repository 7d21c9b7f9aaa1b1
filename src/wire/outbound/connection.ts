/**
 * A connection to a server that speaks HTTP/1.1: one exchange after the other.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { FlowError } from "../../flow/flow_error.ts";
import type { Peer } from "../../flow/peer.ts";
import type { Cut } from "../../flow/shape.ts";
import type { BodySink } from "../exchange/body_pipe.ts";
import { bodyWriter } from "../exchange/body_writer.ts";
import { requestOut } from "../exchange/request_out.ts";
import type { Detached } from "../exchange/upgrade.ts";
import type { OutgoingRequest, UpstreamStream, UpstreamUser } from "../exchange/upstream_stream.ts";
import type { ResponseHead } from "../http1/head.ts";
import { type Http1Event, Http1Parser } from "../http1/parser.ts";
import type { ProtocolError } from "../http1/protocol_error.ts";
import { MessageReader } from "../message_reader.ts";
import { Outgoing } from "../outgoing.ts";
import { breakConnection } from "../shape/break_connection.ts";
import { Watch } from "../watch.ts";
import { connectionFailure, responseFailure, silence, type UpstreamTimeouts } from "./failure.ts";

/** How long a server has to take the last bytes of a connection that is broken on purpose, in milliseconds. */
const LINGER_MS = 1000;

/** Who keeps a connection between two exchanges. */
export interface ConnectionKeeper {
  /** The connection may serve another exchange. */
  idle(connection: UpstreamConnection): void;
  /** The connection is closed; called once. */
  closed(connection: UpstreamConnection): void;
}

/** A connection to a server: the stream of each of its exchanges in turn. */
export class UpstreamConnection implements UpstreamStream {
  /** What is known of the server. */
  readonly peer: Peer;
  /** @inheritdoc */
  answered = false;
  /** @inheritdoc */
  readonly trickles = true;

  readonly #socket: Socket;
  readonly #out: Outgoing;
  readonly #parser: Http1Parser;
  readonly #reader: MessageReader;
  readonly #timeouts: UpstreamTimeouts;
  readonly #persistent: boolean;
  readonly #watch: Watch;
  readonly #keeper: ConnectionKeeper;
  #uses = 0;
  #user: UpstreamUser | undefined;
  #final: ResponseHead | undefined;
  #closed = false;
  #error: unknown;

  /**
   * @param socket connected
   * @param keeper gets the connection back after each exchange
   */
  constructor(
    socket: Socket,
    peer: Peer,
    options: { timeouts: UpstreamTimeouts; headBytes: number; persistent?: boolean },
    keeper: ConnectionKeeper,
  ) {
    this.#socket = socket;
    this.peer = peer;
    this.#out = new Outgoing(socket);
    this.#timeouts = options.timeouts;
    this.#persistent = options.persistent ?? true;
    this.#keeper = keeper;
    this.#watch = new Watch(() => this.#expired());
    this.#parser = new Http1Parser("response", { headBytes: options.headBytes });
    this.#reader = new MessageReader(socket, this.#parser, {
      activity: () => this.#activity(),
      event: (event) => this.#event(event),
      malformed: (error) => this.#malformed(error),
      finished: () => this.#fail(this.#closedFailure()),
    });
    socket.on("error", (error) => this.#error = error);
    socket.on("close", () => this.#socketClosed());
  }

  /** `host:port`, for messages. */
  get name(): string {
    return `${this.peer.host}:${this.peer.port}`;
  }

  /** Whether another exchange can be begun. */
  get usable(): boolean {
    return !this.#closed && this.#user === undefined && this.#parser.idle;
  }

  /** @inheritdoc */
  get reused(): boolean {
    return this.#uses > 1;
  }

  /** @inheritdoc */
  send(request: OutgoingRequest, user: UpstreamUser): BodySink {
    const { text, framing } = requestOut(request, { close: !this.#persistent });
    this.#user = user;
    this.#final = undefined;
    this.answered = false;
    this.#uses++;
    this.#parser.answers(request.flow.request.method);
    this.#watch.set(this.#timeouts.head);
    if (request.slowHead) this.#out.trickle(text, request.slowHead);
    else this.#out.push(text);
    return bodyWriter(this.#out, framing);
  }

  /** @inheritdoc */
  drained(callback: () => void): void {
    this.#out.drained(callback);
  }

  /** @inheritdoc */
  detach(): Detached {
    this.#user = undefined;
    this.#watch.close();
    return { stream: this.#socket, early: this.#reader.detach() };
  }

  /** @inheritdoc */
  release(): void {
    this.#user = undefined;
    this.#watch.off();
    const { keepAlive, framing } = this.#final!;
    if (!this.#closed && keepAlive && this.#persistent && framing.kind !== "close") this.#keeper.idle(this);
    else this.destroy();
  }

  /** Closes the connection when it is not used again within so many milliseconds. */
  expire(ms: number): void {
    this.#watch.set(ms);
  }

  /** @inheritdoc */
  stop(): void {
    this.#watch.off();
    this.#reader.stop();
  }

  /** @inheritdoc */
  go(): void {
    if (this.#user !== undefined) this.#await();
    this.#reader.go();
  }

  /** @inheritdoc */
  sending(): void {
    this.#watch.off();
  }

  /** @inheritdoc */
  sent(): void {
    if (!this.#reader.stopped) this.#await();
  }

  /** Cuts the connection. */
  destroy(_error?: FlowError, cut?: Cut): void {
    this.#user = undefined;
    if (cut === undefined) {
      this.#watch.close();
      this.#socket.destroy();
      return;
    }
    // What has passed until then is to arrive.
    this.#watch.set(LINGER_MS);
    this.#out.settled(() => breakConnection(this.#socket, cut));
  }

  #activity(): void {
    if (this.#user === undefined) {
      // Bytes that nobody asked for: whatever they are, they are no answer to the next request.
      this.destroy();
      return;
    }
    this.answered = true;
    // A head that has begun gets no more time with each of its bytes.
    if (this.#final !== undefined || !this.#watch.on) this.#await();
  }

  #await(): void {
    this.#watch.set(this.#final === undefined ? this.#timeouts.head : this.#timeouts.idle);
  }

  #event(event: Http1Event): void {
    const user = this.#user;
    if (user === undefined) {
      this.destroy();
      return;
    }
    switch (event.type) {
      case "head":
        if ((event.head as ResponseHead).status >= 200) this.#final = event.head as ResponseHead;
        this.#await();
        user.upstreamHead(event.head as ResponseHead);
        break;
      case "data":
        if (!user.upstreamData(event)) this.stop();
        break;
      case "end":
        // An informational response has a head and an end of its own.
        if (this.#final !== undefined) user.upstreamEnd(event.trailers);
        break;
    }
  }

  #malformed(error: ProtocolError): void {
    // A connection that ended before a single byte of an answer is closed, not malformed.
    if (error.code === "HTTP_TRUNCATED" && !this.answered) {
      this.#fail(this.#closedFailure());
    } else {
      this.#fail(responseFailure(error, this.name));
    }
  }

  #socketClosed(): void {
    if (this.#error !== undefined && this.answered) {
      this.#fail({
        code: "UPSTREAM_ABORTED",
        message: `${this.name} reset the connection in the middle of its answer`,
      });
    } else if (this.#error !== undefined) {
      this.#fail(connectionFailure(this.#error, this.name));
    } else if (!this.#reader.stopped) {
      this.#fail(this.#closedFailure());
    }
    this.#watch.close();
    if (this.#closed) return;
    this.#closed = true;
    this.#keeper.closed(this);
  }

  #expired(): void {
    if (this.#user === undefined) this.destroy();
    else this.#fail(silence(this.name, this.#timeouts, this.#final === undefined ? "request" : "head"));
  }

  #fail(error: FlowError): void {
    const user = this.#user;
    this.destroy();
    user?.upstreamFailed(error);
  }

  // An error comes before the end, such as the alert of a server that wants a certificate of its client (RFC 8446 section 6.2).
  #closedFailure(): FlowError {
    if (this.#error !== undefined) return connectionFailure(this.#error, this.name);
    return { code: "UPSTREAM_CLOSED", message: `${this.name} closed the connection before it answered` };
  }
}
