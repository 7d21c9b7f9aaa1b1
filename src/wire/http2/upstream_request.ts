/**
 * One request to a server that speaks HTTP/2.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import type { Peer } from "../../flow/peer.ts";
import type { Cut } from "../../flow/shape.ts";
import type { BodySink } from "../exchange/body_pipe.ts";
import { requestFields } from "../exchange/request_out.ts";
import type { Detached } from "../exchange/upgrade.ts";
import type { OutgoingRequest, UpstreamStream, UpstreamUser } from "../exchange/upstream_stream.ts";
import type { ResponseHead } from "../http1/head.ts";
import { silence } from "../outbound/failure.ts";
import { Watch } from "../watch.ts";
import { asSwitch, connectSection } from "./extended_connect.ts";
import { addLines } from "./field_lines.ts";
import { ERROR_CODES, Http2Error } from "./http2_error.ts";
import { responseHead, trailerLines } from "./message_fields.ts";
import type { Http2Stream } from "./stream.ts";
import { streamFailure } from "./stream_failure.ts";
import { StreamSocket } from "./stream_socket.ts";
import type { BrokenStream, StreamUser } from "./stream_user.ts";
import { NO_SINK, StreamSink } from "./stream_sink.ts";
import type { Http2UpstreamConnection } from "./upstream_connection.ts";

/** The server's side of one exchange. */
export class UpstreamRequest implements UpstreamStream, StreamUser {
  /** What is known of the server. */
  readonly peer: Peer;
  /** @inheritdoc */
  readonly reused: boolean;
  /** @inheritdoc */
  answered = false;
  /** @inheritdoc */
  readonly trickles = false;

  readonly #stream: Http2Stream;
  readonly #connection: Http2UpstreamConnection;
  readonly #watch: Watch;
  #user: UpstreamUser | undefined;
  #method = "";
  /** What asks for a WebSocket. */
  #handshake: FlowHeaders | undefined;
  #final: ResponseHead | undefined;
  #trailers = "";

  /** @param stream nothing has been sent on it */
  constructor(stream: Http2Stream, connection: Http2UpstreamConnection) {
    this.#stream = stream;
    this.#connection = connection;
    this.peer = connection.peer;
    this.reused = connection.reused;
    this.#watch = new Watch(() => this.#expired());
    stream.user = this;
  }

  /** @inheritdoc */
  send(outgoing: OutgoingRequest, user: UpstreamUser): BodySink {
    if (this.#stream.over) return this.#tooLate(user);
    const { request } = outgoing.flow;
    const { fields, framing } = requestFields(outgoing);
    const scheme = request.scheme === "https" || request.scheme === "wss" ? "https" : "http";
    this.#user = user;
    this.#method = request.method;
    this.#watch.set(this.#connection.timeouts.head);
    if (outgoing.handshake !== undefined) {
      this.#handshake = FlowHeaders.fromFields(fields);
      this.#stream.sendFields(connectSection({ scheme, target: request.target, host: request.host }, fields), false);
      return NO_SINK;
    }
    const raw = [":method", request.method, ":scheme", scheme, ":authority", "", ":path", request.target];
    raw[5] = addLines(raw, fields) || request.host;
    const end = framing.kind === "none";
    this.#stream.sendFields(raw, end);
    return end ? NO_SINK : new StreamSink(this.#stream);
  }

  /** @inheritdoc */
  drained(callback: () => void): void {
    this.#stream.drained(callback);
  }

  /** @inheritdoc */
  sending(): void {
    this.#watch.off();
  }

  /** @inheritdoc */
  sent(): void {
    if (!this.#stream.stopped) this.#await();
  }

  /** @inheritdoc */
  stop(): void {
    this.#watch.off();
    this.#stream.stop();
  }

  /** @inheritdoc */
  go(): void {
    if (this.#user !== undefined) this.#await();
    this.#stream.go();
  }

  /** @inheritdoc */
  async takesWebSockets(): Promise<boolean> {
    this.#watch.set(this.#connection.timeouts.head);
    const greeted = await this.#connection.greeting;
    this.#watch.off();
    return greeted && !this.#stream.over && this.#connection.takesWebSockets;
  }

  /** @inheritdoc */
  detach(): Detached {
    this.release();
    // What a reset is to TCP (RFC 8441 section 5).
    const stream = new StreamSocket(this.#stream, { cutCode: ERROR_CODES.CANCEL });
    return { stream, early: new Uint8Array(0) };
  }

  /** @inheritdoc */
  release(): void {
    this.#user = undefined;
    this.#watch.close();
  }

  /** @inheritdoc */
  destroy(error?: FlowError, cut?: Cut): void {
    this.release();
    if (cut?.scope === "connection") return this.#connection.cut(cut);
    if (cut !== undefined) return this.#stream.reset(cut.resetCode ?? ERROR_CODES.CANCEL);
    // The client's own reason is passed on; whatever else has happened here, the server has done nothing wrong.
    this.#stream.reset(error?.code === "CLIENT_ABORTED" ? error.resetCode ?? ERROR_CODES.CANCEL : ERROR_CODES.CANCEL);
  }

  /** @inheritdoc */
  fields(raw: string[], end: boolean): void {
    this.#guarded(() => {
      this.answered = true;
      this.#await();
      if (this.#final !== undefined) {
        if (!end) throw this.#malformed("fields behind its head do not end it");
        this.#trailers = trailerLines(raw, this.#stream.id);
        return;
      }
      const said = responseHead(raw, end, this.#method, this.#stream.id);
      const head = this.#handshake === undefined ? said : this.#answerTo(this.#handshake, said);
      if (head.status >= 200) this.#final = head;
      if (head.framing.kind === "length") this.#stream.expected = head.framing.length;
      this.#user?.upstreamHead(head);
    });
  }

  /** @inheritdoc */
  data(bytes: Uint8Array): boolean {
    let more = true;
    this.#guarded(() => {
      if (this.#final === undefined) throw this.#malformed("its body comes before its head");
      this.#await();
      more = this.#user?.upstreamData({ type: "data", data: bytes, chunk: bytes.length, final: true }) ?? true;
      if (!more) this.#watch.off();
    });
    return more;
  }

  /** @inheritdoc */
  end(): void {
    this.#guarded(() => {
      if (this.#final === undefined) throw this.#malformed("it has no head");
      this.#user?.upstreamEnd(this.#trailers);
    });
  }

  /** @inheritdoc */
  broken(why: BrokenStream): void {
    // The response is there: what the server does not want is the rest of the request (RFC 9113 section 8.1).
    if (this.#stream.remoteEnded && this.#final !== undefined) return;
    const user = this.#user;
    this.release();
    const wantsHttp1 = why.kind === "reset" && why.code === ERROR_CODES.HTTP_1_1_REQUIRED;
    if (wantsHttp1) this.#connection.wantsHttp1();
    const unseen = why.kind === "unseen" || why.kind === "reset" && why.code === ERROR_CODES.REFUSED_STREAM;
    if ((wantsHttp1 || unseen) && !this.answered) user?.upstreamRefused(this.#failure(why));
    else user?.upstreamFailed(this.#failure(why));
  }

  #answerTo(handshake: FlowHeaders, head: ResponseHead): ResponseHead {
    if (head.status < 200) return head;
    if (head.status < 300) return asSwitch(head, handshake);
    // It is refused: nothing more will be sent.
    this.#stream.end([]);
    return head;
  }

  // The connection has ended since the stream was made.
  #tooLate(user: UpstreamUser): BodySink {
    this.release();
    const error = {
      code: "UPSTREAM_CLOSED",
      message: `${this.#connection.name} closed the connection before it was asked`,
    };
    queueMicrotask(() => user.upstreamRefused(error));
    return NO_SINK;
  }

  #failure(why: BrokenStream): FlowError {
    return streamFailure(why, this.#connection, this.answered ? "answered" : "asked");
  }

  /** What is wrong with the message ends its stream, also when it was told later than it came. */
  #guarded(deed: () => void): void {
    try {
      deed();
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      const user = this.#user;
      this.release();
      this.#stream.reset(ERROR_CODES[error.code]);
      user?.upstreamFailed(this.#failure({ kind: "invalid", code: ERROR_CODES[error.code], message: error.message }));
    }
  }

  #malformed(what: string): Http2Error {
    return new Http2Error("PROTOCOL_ERROR", `${what} (RFC 9113 section 8.1)`, this.#stream.id);
  }

  #await(): void {
    const { head, idle } = this.#connection.timeouts;
    this.#watch.set(this.#final === undefined ? head : idle);
  }

  #expired(): void {
    const user = this.#user;
    // It was asked what it takes, and does not say.
    if (user === undefined) return this.#connection.destroy();
    const { name, timeouts } = this.#connection;
    this.destroy();
    user?.upstreamFailed(silence(name, timeouts, this.#final === undefined ? "request" : "head"));
  }
}
