/**
 * One request of a client that speaks HTTP/2.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { FlowError } from "../../flow/flow_error.ts";
import type { Peer } from "../../flow/peer.ts";
import type { Cut } from "../../flow/shape.ts";
import type { BodySink, Piece } from "../exchange/body_pipe.ts";
import type { ClientStream } from "../exchange/client_stream.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { sendPage } from "../exchange/failure.ts";
import type { ResponseOut } from "../exchange/response_out.ts";
import type { Detached, Upgrade } from "../exchange/upgrade.ts";
import { EMPTY, type Framing } from "../http1/head.ts";
import type { ConnectRequest } from "../inbound/tunnel.ts";
import { Watch } from "../watch.ts";
import type { WireContext } from "../wire_context.ts";
import type { Http2ClientConnection } from "./client_connection.ts";
import { refuse } from "./check_fields.ts";
import { openedSection } from "./extended_connect.ts";
import { addLines } from "./field_lines.ts";
import { ERROR_CODES, errorName, Http2Error } from "./http2_error.ts";
import { type RequestFields, trailerLines } from "./message_fields.ts";
import { openExchange } from "./open_exchange.ts";
import type { Http2Stream } from "./stream.ts";
import { StreamSocket } from "./stream_socket.ts";
import type { BrokenStream, StreamUser } from "./stream_user.ts";
import { NO_SINK, StreamSink } from "./stream_sink.ts";

/** How long a client may take to read what it gets before its stream is reset, in milliseconds. */
const LINGER_MS = 1000;

/** The client's side of one exchange. */
export class ClientRequest implements ClientStream, ConnectRequest, Upgrade, StreamUser {
  /** The client. */
  readonly peer: Peer;
  /** What the connections of the proxy share. */
  readonly context: WireContext;

  readonly #stream: Http2Stream;
  readonly #connection: Http2ClientConnection;
  #exchange: Exchange | undefined;
  /** What follows the head is no content: it waits for whoever will carry it. */
  #connects = false;
  #requestDone = false;
  #trailers = "";
  #hesitant = false;
  #sent: Framing["kind"] | undefined;
  #watch: Watch | undefined;

  /** @param stream on which a request has come */
  constructor(stream: Http2Stream, connection: Http2ClientConnection) {
    this.#stream = stream;
    this.#connection = connection;
    this.peer = connection.peer;
    this.context = connection.context;
    stream.user = this;
  }

  /** Answers a request whose head could not be read. */
  static refuse(stream: Http2Stream, connection: Http2ClientConnection, failure: FlowError, status: number): void {
    const request = new ClientRequest(stream, connection);
    sendPage(request, failure, status, "GET", null);
    request.done();
  }

  /**
   * The head has come.
   *
   * @param end it is all that the client sends
   */
  begin(fields: RequestFields, end: boolean): void {
    const { head, protocol } = fields;
    const { route, router } = this.#connection;
    this.#stream.stop();
    this.#requestDone = end;
    this.#hesitant = head.expectContinue;
    this.#connects = head.method === "CONNECT" || protocol !== undefined;
    const opened = openExchange(fields, { client: this, route, router, end });
    this.#exchange = opened?.exchange;
    opened?.begin();
  }

  /** Ends the exchange. */
  fail(reason: FlowError): void {
    this.#exchange?.fail(reason);
  }

  /** @inheritdoc */
  readBody(): void {
    if (this.#requestDone || this.#connects) return;
    this.#stream.go();
    if (!this.#requestDone && !this.#stream.stopped && !this.#hesitant) this.#await();
  }

  /** @inheritdoc */
  inform(status: number, _reason: string, fields: string): boolean {
    // HTTP/2 has no 101 (RFC 9113 section 8.6).
    if (status === 101) return true;
    if (status === 100 && this.#hesitant) {
      this.#hesitant = false;
      this.#await();
    }
    const raw = [":status", String(status)];
    addLines(raw, fields);
    return this.#stream.sendFields(raw, false);
  }

  /** @inheritdoc */
  respond({ status, fields, framing }: ResponseOut): BodySink {
    // Nobody carries what such an answer would open (RFC 8441 section 5.1): in HTTP/1.1 anything but a 101 is a refusal.
    const opens = this.#connects && status < 300;
    const raw = [":status", String(opens ? 502 : status)];
    addLines(raw, fields);
    if (opens) raw.push("x-flowtape-error", "WS_REFUSED");
    const end = framing.kind === "none" || framing === EMPTY;
    this.#sent = framing.kind;
    this.#stream.sendFields(raw, end);
    return end ? NO_SINK : new StreamSink(this.#stream);
  }

  /** @inheritdoc */
  accept(_reason: string, fields: string): Detached {
    this.#stream.sendFields(openedSection(fields), false);
    // What a reset is to TCP (RFC 8441 section 5).
    return { stream: this.#letGo(ERROR_CODES.CANCEL), early: new Uint8Array(0) };
  }

  /** @inheritdoc */
  establish(): Duplex {
    this.#stream.sendFields([":status", "200"], false);
    return this.#letGo(ERROR_CODES.CONNECT_ERROR);
  }

  /** @inheritdoc */
  drained(callback: () => void): void {
    this.#stream.drained(callback);
  }

  /** @inheritdoc */
  abort(error?: FlowError): void {
    // Clients take NO_ERROR and CANCEL for an end.
    this.#reset(error?.resetCode ?? ERROR_CODES.INTERNAL_ERROR);
  }

  /** @inheritdoc */
  cut(cut: Cut, error: FlowError): void {
    const { end, garbage, scope, resetCode } = cut;
    if (scope === "connection") return this.#connection.cut(cut, error);
    // Data where a head is due would end the whole connection.
    if (garbage !== undefined && this.#sent !== undefined) this.#stream.write(garbage);
    // An end that comes too early can be seen only where a length was promised.
    if (end === "short" && this.#sent === "length") {
      this.#stream.end([]);
      return this.done();
    }
    this.#reset(resetCode ?? (garbage === undefined ? ERROR_CODES.INTERNAL_ERROR : ERROR_CODES.PROTOCOL_ERROR));
  }

  /** @inheritdoc */
  done(): void {
    if (this.#requestDone || this.#stream.over) return this.#forget();
    // The rest of the request is let go unread, as in HTTP/1.1. A reset with NO_ERROR (RFC 9113 section 8.1) would do, but a client on
    // node:http2 may wait for ever when it meets the end of the response.
    this.#stream.go();
    this.#await();
  }

  /** @inheritdoc */
  fields(raw: string[], end: boolean): void {
    const { id } = this.#stream;
    try {
      if (!end) throw refuse("has fields behind its head that do not end it", id);
      this.#trailers = trailerLines(raw, id);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      const code = ERROR_CODES[error.code];
      this.#stream.violated(code);
      this.broken({ kind: "invalid", code, message: error.message });
    }
  }

  /** @inheritdoc */
  data(bytes: Uint8Array): boolean {
    this.#hesitant = false;
    const piece: Piece = { data: bytes, chunk: bytes.length, final: true };
    const more = this.#exchange?.over !== false || this.#exchange.requestData({ type: "data", ...piece });
    if (more) this.#await();
    else this.#watch?.off();
    return more;
  }

  /** @inheritdoc */
  end(): void {
    this.#requestDone = true;
    this.#hesitant = false;
    this.#watch?.off();
    if (this.#exchange?.over === false) this.#exchange.requestEnd(this.#trailers);
    if (this.#exchange?.over !== false) this.#forget();
  }

  /** @inheritdoc */
  broken({ kind, code, message }: BrokenStream): void {
    this.#forget();
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.over) return;
    if (kind === "invalid") {
      exchange.fail({
        code: `HTTP2_${errorName(code)}`,
        message: `the client breaks HTTP/2: ${message}`,
        status: 400,
        resetCode: code,
      });
    } else {
      exchange.clientGone(kind === "reset" ? code : undefined);
    }
  }

  #letGo(cutCode: number): Duplex {
    this.#forget();
    const socket = new StreamSocket(this.#stream, { cutCode, ended: this.#requestDone });
    this.#connection.carry(socket);
    return socket;
  }

  #await(): void {
    this.#watch ??= new Watch(() => this.#expired());
    this.#watch.set((this.#exchange?.context ?? this.context).config.timeouts.idle);
  }

  #expired(): void {
    const { idle } = (this.#exchange?.context ?? this.context).config.timeouts;
    if (this.#exchange?.over !== false) return this.#reset(ERROR_CODES.NO_ERROR);
    this.#exchange.fail({
      code: "CLIENT_TIMEOUT",
      message: `the client sent nothing for ${idle} ms in the middle of its request (timeouts.idle)`,
    });
  }

  // What was sent goes first, as far as the client takes it.
  #reset(code: number): void {
    this.#forget();
    if (!this.#stream.pending) return this.#stream.reset(code);
    const linger = new Watch(() => this.#stream.reset(code));
    if (code !== ERROR_CODES.NO_ERROR) linger.set(LINGER_MS);
    this.#stream.drained(() => {
      linger.close();
      this.#stream.reset(code);
    });
  }

  #forget(): void {
    this.#watch?.close();
    this.#connection.forget(this);
  }
}
