/**
 * One request of a client that speaks HTTP/2.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { Cut } from "../../flow/shape.ts";
import { FlowRequest, type RequestAddress } from "../../flow/request.ts";
import type { BodySink, Piece } from "../exchange/body_pipe.ts";
import type { ClientStream } from "../exchange/client_stream.ts";
import { Exchange } from "../exchange/exchange.ts";
import { sendPage } from "../exchange/failure.ts";
import type { ResponseOut } from "../exchange/response_out.ts";
import { EMPTY, type RequestHead } from "../http1/head.ts";
import { ProtocolError } from "../http1/protocol_error.ts";
import { admits, challenge } from "../inbound/admission.ts";
import { withoutAuth } from "../inbound/proxy_auth.ts";
import { Watch } from "../watch.ts";
import type { Http2ClientConnection } from "./client_connection.ts";
import { refuse } from "./check_fields.ts";
import { addLines } from "./field_lines.ts";
import { ERROR_CODES, errorName, Http2Error } from "./http2_error.ts";
import { trailerLines } from "./message_fields.ts";
import type { Http2Stream } from "./stream.ts";
import type { BrokenStream, StreamUser } from "./stream_user.ts";
import { NO_SINK, StreamSink } from "./stream_sink.ts";

/** How long a client may take to read what it gets before its stream is reset, in milliseconds. */
const LINGER_MS = 1000;

/** The client's side of one exchange. */
export class ClientRequest implements ClientStream, StreamUser {
  readonly #stream: Http2Stream;
  readonly #connection: Http2ClientConnection;
  readonly #head: RequestHead | undefined;
  #exchange: Exchange | undefined;
  #requestDone = false;
  #trailers = "";
  #hesitant = false;
  #watch: Watch | undefined;
  /** How the body ends of which the head was sent. */
  #sent: ResponseOut["framing"]["kind"] | undefined;

  /** @param head as it came; none when it could not be read */
  constructor(stream: Http2Stream, connection: Http2ClientConnection, head: RequestHead | undefined) {
    this.#stream = stream;
    this.#connection = connection;
    this.#head = head;
    stream.user = this;
  }

  /** Answers a request whose head could not be read. */
  static refuse(stream: Http2Stream, connection: Http2ClientConnection, failure: FlowError, status: number): void {
    const request = new ClientRequest(stream, connection, undefined);
    sendPage(request, failure, status, "GET", null);
    request.done();
  }

  /**
   * The head has come.
   *
   * @param scheme as the client has sent it
   * @param end there is no body
   */
  begin(scheme: string | undefined, end: boolean): void {
    const { context, peer, route } = this.#connection;
    const head = this.#head!;
    this.#stream.stop();
    this.#requestDone = end;
    this.#hesitant = head.expectContinue;
    try {
      const address = this.#address(head, scheme);
      // In a tunnel the client has authenticated when it asked for it.
      if (route.tunnel === undefined && !admits(context, peer, head, () => address)) {
        return challenge(this, head.method);
      }
      if (head.method === "CONNECT") return this.#noTunnels();
      const content = end ? BodyBuffer.NONE : new BodyBuffer();
      const headers = FlowHeaders.fromFields(head.hops.length === 0 ? head.fields : withoutAuth(head.fields));
      const flow = new HttpFlow(new FlowRequest(head.method, address, "2", headers, content), peer);
      this.#exchange = new Exchange(flow, head, this, context);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      sendPage(this, { code: error.code, message: error.message }, error.status, head.method, null);
      return this.done();
    }
    this.#exchange.begin();
    if (end) this.#exchange.requestEnd("");
  }

  /** Ends the exchange. */
  fail(reason: FlowError): void {
    this.#exchange?.fail(reason);
  }

  /** @inheritdoc */
  readBody(): void {
    if (this.#requestDone) return;
    this.#stream.go();
    if (!this.#requestDone && !this.#stream.stopped && !this.#hesitant) this.#await();
  }

  /** @inheritdoc */
  inform(status: number, _reason: string, fields: string): void {
    // HTTP/2 has no 101 (RFC 9113 section 8.6).
    if (status === 101) return;
    if (status === 100 && this.#hesitant) {
      this.#hesitant = false;
      this.#await();
    }
    const raw = [":status", String(status)];
    addLines(raw, fields);
    this.#stream.sendFields(raw, false);
  }

  /** @inheritdoc */
  respond({ status, fields, framing }: ResponseOut): BodySink {
    const raw = [":status", String(status)];
    addLines(raw, fields);
    const end = framing.kind === "none" || framing === EMPTY;
    this.#sent = framing.kind;
    this.#stream.sendFields(raw, end);
    return end ? NO_SINK : new StreamSink(this.#stream);
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
      this.#stream.reset(code);
      this.broken({ kind: "invalid", code, message: error.message });
    }
  }

  /** @inheritdoc */
  data(bytes: Uint8Array): boolean {
    this.#hesitant = false;
    const piece: Piece = { data: bytes, chunk: bytes.length, final: true };
    const more = this.#exchange?.requestData({ type: "data", ...piece }) ?? true;
    if (more) this.#await();
    else this.#watch?.off();
    return more;
  }

  /** @inheritdoc */
  end(): void {
    this.#requestDone = true;
    this.#hesitant = false;
    this.#watch?.off();
    this.#exchange?.requestEnd(this.#trailers);
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

  #address(head: RequestHead, scheme: string | undefined): RequestAddress {
    const { route, router } = this.#connection;
    if (head.method === "CONNECT") return { scheme: "https", hostname: "connect.invalid", port: 443, target: "*" };
    // A client of the proxy itself may mean another scheme than the one it speaks.
    const elsewhere = route.tunnel === undefined && route.scheme === "http" && scheme === "https";
    return router.addressOf(elsewhere ? { ...head, target: `https://${head.host}${head.target}` } : head);
  }

  #noTunnels(): void {
    const message = "the proxy opens no tunnels in streams of HTTP/2: ask for one in HTTP/1.1";
    sendPage(this, { code: "HTTP_METHOD", message }, 501, "CONNECT", null);
    this.done();
  }

  #await(): void {
    this.#watch ??= new Watch(() => this.#expired());
    this.#watch.set(this.#connection.context.config.timeouts.idle);
  }

  #expired(): void {
    const { idle } = this.#connection.context.config.timeouts;
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
