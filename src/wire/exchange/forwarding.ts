/**
 * A request on its way to the server.
 *
 * @module
 */
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import type { FlowResponse } from "../../flow/response.ts";
import type { Cut } from "../../flow/shape.ts";
import type { DataEvent } from "../http1/event.ts";
import type { ResponseHead } from "../http1/head.ts";
import { ProtocolError } from "../http1/protocol_error.ts";
import { withoutFraming } from "../http1/serializer.ts";
import { REAL_CLOCK } from "../shape/clock.ts";
import { lengthOf } from "../shape/shaped_response.ts";
import { Shaper } from "../shape/shaper.ts";
import { handshakeRequest, webSocketScheme } from "../websocket/handshake.ts";
import { openWebSocket } from "../websocket/opening.ts";
import { answer } from "./answer.ts";
import type { BodySink } from "./body_pipe.ts";
import type { Exchange } from "./exchange.ts";
import { canRepeat, mayRetry } from "./repeat.ts";
import { Returning, type ReturningServer } from "./returning.ts";
import type { UpstreamStream, UpstreamUser } from "./upstream_stream.ts";

/** How many informational responses a flow keeps. */
const MAX_INFORMATIONAL = 100;

/** The part of an exchange that involves a server. */
export class Forwarding implements UpstreamUser, ReturningServer {
  readonly #exchange: Exchange;
  readonly #returning: Returning;
  #stream: UpstreamStream | undefined;
  #shaper: Shaper | undefined;
  #lateHead: (() => void) | undefined;
  #retried = false;
  #refused = false;
  #cut = false;

  /** @param exchange whose request is to be sent */
  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#returning = new Returning(exchange, this);
  }

  /** Sends the request to its server. */
  start(): void {
    const { flow, head, upgrade } = this.#exchange;
    if (upgrade !== undefined) this.#exchange.handshake = handshakeRequest(flow.request, head);
    if (this.#exchange.handshake !== undefined) flow.request.scheme = webSocketScheme(flow.request.scheme);
    // What a WebSocket is shaped by are its messages.
    if (flow.shape === undefined || flow.shape.request.length === 0 || this.#exchange.handshake !== undefined) {
      return this.#begin();
    }
    this.#shaper?.close();
    this.#shaper = new Shaper(flow.shape.request, {
      open: () => this.#begin(),
      drained: (callback) => this.#stream?.drained(callback),
      fired: ({ description }) => void flow.faults.push(description),
      broken: (stage) => this.#exchange.break(stage),
      guard: (step) => this.#exchange.proceed(step),
      // Which of them it is will be known when there is a connection.
      trickles: true,
    });
    this.#shaper.start();
  }

  #begin(): void {
    const { flow, context } = this.#exchange;
    // A conversation has a connection of its own: one that a server may just be closing is not worth the risk.
    const stream = this.#exchange.handshake === undefined ? context.upstream.idle(flow) : undefined;
    if (stream !== undefined) this.#send(stream);
    else this.#connect();
  }

  /** More of the request is to come from the client: the server cannot be expected to answer yet. */
  sending(): void {
    this.#stream?.sending();
  }

  /** The whole request has come: it is for the server to answer. */
  sent(): void {
    if (!this.#shaper?.pending) this.#stream?.sent();
  }

  /** Calls once when the server has taken what was sent. */
  drained(callback: () => void): void {
    if (this.#shaper !== undefined) return this.#shaper.drained(callback);
    this.#stream?.sent();
    this.#stream?.drained(callback);
  }

  /** The server is of no use any more. */
  cut(error?: FlowError, cut?: Cut): void {
    this.#cut = true;
    this.#shaper?.close();
    this.#lateHead?.();
    this.#stream?.destroy(error, cut);
    this.#stream = undefined;
    this.#returning.drop();
  }

  /** @inheritdoc */
  upstreamHead(head: ResponseHead): void {
    if (head.status === 101 && this.#exchange.handshake !== undefined) {
      this.#switch(head);
      return;
    }
    if (head.status === 101) {
      throw new ProtocolError("HTTP_START_LINE", "It switches protocols, which was not asked for (RFC 9110 15.2.2)");
    }
    if (head.status < 200) {
      this.#inform(head);
      return;
    }
    this.#returning.head(head);
  }

  /** @inheritdoc */
  upstreamData(event: DataEvent): boolean {
    return this.#returning.data(event);
  }

  /** @inheritdoc */
  upstreamEnd(trailers: string): void {
    this.#returning.end(trailers);
  }

  /** @inheritdoc */
  upstreamAnswers(response: FlowResponse): void {
    this.#stream = undefined;
    this.#exchange.flow.response = response;
    this.#exchange.proceed(() => answer(this.#exchange, "new"));
  }

  /** @inheritdoc */
  upstreamFailed(error: FlowError): void {
    if (!this.#retried && mayRetry(this.#exchange, this.#stream!, error)) {
      this.#retried = true;
      this.#stream = undefined;
      this.#connect();
    } else {
      this.#exchange.fail(error);
    }
  }

  /** @inheritdoc */
  upstreamRefused(error: FlowError): void {
    this.#stream = undefined;
    if (this.#refused || !canRepeat(this.#exchange)) {
      this.#exchange.fail(error);
      return;
    }
    this.#refused = true;
    this.start();
  }

  /** @inheritdoc */
  stop(): void {
    this.#stream?.stop();
  }

  /** @inheritdoc */
  go(): void {
    this.#stream?.go();
  }

  /** @inheritdoc */
  release(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    // A server that has answered before it got the whole request may not read the rest.
    const sent = this.#exchange.upload.ended || this.#exchange.flow.request.bodyEdited;
    if (sent && !this.#shaper?.pending) stream?.release();
    else stream?.destroy();
    this.#shaper?.close();
  }

  #switch(head: ResponseHead): void {
    const stream = this.#stream!;
    stream.stop();
    openWebSocket(this.#exchange, head, {
      refused: (given) => this.#returning.refused(given),
      detach: () => {
        this.#stream = undefined;
        return stream.detach!();
      },
    });
  }

  #inform(head: ResponseHead): void {
    const { flow, client, context } = this.#exchange;
    const { status, reason } = head;
    flow.informational.push({ status, reason, headers: FlowHeaders.fromFields(head.fields) });
    // A server may send as many as it likes.
    if (flow.informational.length > MAX_INFORMATIONAL) flow.informational.shift();
    // It has no body, whatever it says (RFC 9110 section 8.6).
    const pass = () => client.inform(status, reason, withoutFraming(head));
    const go = () => this.#stream?.go();
    const hooked = context.hooks.has("informational");
    if (!hooked && pass()) return;
    this.#stream?.stop();
    if (!hooked) return client.drained(go);
    this.#exchange.hook("informational", () => this.#exchange.unlessFailed(() => pass() ? go() : client.drained(go)));
  }

  #connect(): void {
    this.#exchange.context.upstream.connect(this.#exchange.flow).then((stream) => {
      if (this.#cut) stream.destroy();
      else this.#exchange.proceed(() => this.#send(stream));
    }, (error) => {
      const message = error instanceof Error ? error.message : String(error);
      this.#exchange.fail({ code: error instanceof FlowtapeError ? error.code : "UPSTREAM_CLOSED", message });
    });
  }

  #send(stream: UpstreamStream): void {
    this.#stream = stream;
    const { slowHead } = this.#exchange;
    if (slowHead === 0 || stream.trickles) return this.#sendNow(stream);
    this.#lateHead = REAL_CLOCK.after(slowHead, () => this.#exchange.proceed(() => this.#sendNow(stream)));
  }

  #sendNow(stream: UpstreamStream): void {
    const { flow, head, upload, client } = this.#exchange;
    const sink = this.#shaped(stream.send(this.#exchange, this));
    if (flow.request.bodyEdited) {
      const data = flow.request.encodedBody;
      if (data.length > 0) sink.data({ data, chunk: data.length, final: true });
      sink.end(flow.request.trailers?.fields ?? "");
      upload.drop();
      if (!upload.ended) client.readBody();
      return;
    }
    if (upload.ended) upload.trailers = flow.request.trailers?.fields ?? "";
    if (this.#retried || this.#refused) {
      // More may have come in the meantime than is kept.
      if (!canRepeat(this.#exchange)) throw new Error("the request was too large to be sent again (capture.maxBody)");
      upload.repeat(sink);
      if (!upload.ended) client.readBody();
    } else if (!upload.pass(sink)) {
      this.drained(() => upload.content.drained(() => client.readBody()));
    } else if (!upload.ended) {
      if (head.framing.kind !== "none") this.sending();
      client.readBody();
    }
  }

  #shaped(sink: BodySink): BodySink {
    const { flow: { request }, head, upload } = this.#exchange;
    const shaper = this.#shaper;
    if (shaper === undefined) return sink;
    const total = request.bodyEdited ? request.content.size : lengthOf(head.framing, upload.content);
    const none = head.framing.kind === "none" && !request.bodyEdited;
    shaper.attach(sink, { total, none }, this.#stream!.trickles ? this.#exchange.slowHead : 0);
    // The server cannot be expected to answer what it has not got.
    this.#stream!.sending();
    shaper.onDone(() => this.#stream?.sent());
    return shaper;
  }
}
