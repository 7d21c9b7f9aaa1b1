/**
 * A connection to a server that speaks HTTP/1.1: one exchange after the other.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { FlowError } from "../../flow/flow_error.ts";
import type { Peer } from "../../flow/peer.ts";
import type { ResponseHead } from "../http1/head.ts";
import { type Http1Event, Http1Parser } from "../http1/parser.ts";
import type { ProtocolError } from "../http1/protocol_error.ts";
import { MessageReader } from "../message_reader.ts";
import { Outgoing } from "../outgoing.ts";
import { Watch } from "../watch.ts";
import { connectionFailure, responseFailure } from "./failure.ts";

/** Who uses the connection at the moment. */
export interface UpstreamUser {
  /** A head has arrived: an informational one (1xx) or the final one. */
  upstreamHead(head: ResponseHead): void;
  /** A piece of the body has arrived. `false`: wait until {@linkcode UpstreamConnection.go}. */
  upstreamData(event: Extract<Http1Event, { type: "data" }>): boolean;
  /** The response is complete. */
  upstreamEnd(trailers: string): void;
  /** The connection is of no use any more. */
  upstreamFailed(error: FlowError): void;
}

/** How long a server may take, in milliseconds. */
export interface UpstreamTimeouts {
  /** From the request to the head of its response. */
  readonly head: number;
  /** Between two pieces of a response. */
  readonly idle: number;
}

/** A connection to a server. */
export class UpstreamConnection {
  /** What is known of the server. */
  readonly peer: Peer;
  /** The requests. */
  readonly out: Outgoing;
  /** How many exchanges it has begun. */
  uses = 0;
  /** Whether a byte of an answer to the current exchange has arrived, an informational one included. */
  answered = false;

  readonly #socket: Socket;
  readonly #parser: Http1Parser;
  readonly #reader: MessageReader;
  readonly #timeouts: UpstreamTimeouts;
  readonly #watch: Watch;
  readonly #onClose: () => void;
  #user: UpstreamUser | undefined;
  #final: ResponseHead | undefined;
  #closed = false;
  #error: unknown;

  /**
   * @param socket connected
   * @param onClose called once when the connection is closed
   */
  constructor(
    socket: Socket,
    peer: Peer,
    options: { timeouts: UpstreamTimeouts; headBytes: number },
    onClose: () => void,
  ) {
    this.#socket = socket;
    this.peer = peer;
    this.out = new Outgoing(socket);
    this.#timeouts = options.timeouts;
    this.#onClose = onClose;
    this.#watch = new Watch(() => this.#expired());
    this.#parser = new Http1Parser("response", { headBytes: options.headBytes });
    this.#reader = new MessageReader(socket, this.#parser, {
      activity: () => this.#activity(),
      event: (event) => this.#event(event),
      malformed: (error) => this.#malformed(error),
      finished: () => this.#fail({ code: "UPSTREAM_CLOSED", message: this.#closedMessage() }),
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

  /** Begins an exchange: the request is written through {@linkcode UpstreamConnection.out | out}. */
  begin(method: string, user: UpstreamUser): void {
    this.#user = user;
    this.#final = undefined;
    this.answered = false;
    this.uses++;
    this.#parser.answers(method);
    this.#watch.set(this.#timeouts.head);
  }

  /** Ends the use for an exchange; whether the connection may serve another one. */
  finish(): boolean {
    this.#user = undefined;
    this.#watch.off();
    return !this.#closed && this.#final?.keepAlive === true && this.#final.framing.kind !== "close";
  }

  /** Closes the connection when it is not used again within so many milliseconds. */
  expire(ms: number): void {
    this.#watch.set(ms);
  }

  /** The user has to wait for a hook. */
  stop(): void {
    this.#watch.off();
    this.#reader.stop();
  }

  /** The user is ready for more. */
  go(): void {
    if (this.#user !== undefined) this.#await();
    this.#reader.go();
  }

  /** The request is still on its way: it is the client that is waited for. */
  sending(): void {
    this.#watch.off();
  }

  /** What has come of the request is on its way: it is the server that is waited for. */
  sent(): void {
    if (!this.#reader.stopped) this.#await();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#user = undefined;
    this.#watch.close();
    this.#socket.destroy();
  }

  #activity(): void {
    if (this.#user === undefined) {
      // Bytes that nobody asked for: whatever they are, they are no answer to the next request.
      this.destroy();
      return;
    }
    this.answered = true;
    this.#await();
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
      this.#fail({ code: "UPSTREAM_CLOSED", message: this.#closedMessage() });
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
      this.#fail({ code: "UPSTREAM_CLOSED", message: this.#closedMessage() });
    }
    this.#watch.close();
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
  }

  #expired(): void {
    if (this.#user === undefined) {
      this.destroy();
    } else if (this.#final !== undefined) {
      this.#fail({
        code: "UPSTREAM_IDLE_TIMEOUT",
        message: `${this.name} sent nothing for ${this.#timeouts.idle} ms in the middle of its answer (timeouts.idle)`,
      });
    } else {
      this.#fail({
        code: "UPSTREAM_HEAD_TIMEOUT",
        message: `${this.name} did not answer within ${this.#timeouts.head} ms (timeouts.head)`,
      });
    }
  }

  #fail(error: FlowError): void {
    const user = this.#user;
    this.destroy();
    user?.upstreamFailed(error);
  }

  #closedMessage(): string {
    return `${this.name} closed the connection before it answered`;
  }
}
