/**
 * A server that gives the answer that a flow has had: nothing reaches the network.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { FlowHeaders } from "../../flow/headers.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { FlowResponse } from "../../flow/response.ts";
import type { BodySink } from "../exchange/body_pipe.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { bodyKind } from "../exchange/response_out.ts";
import type { OutgoingRequest, UpstreamStream, UpstreamUser } from "../exchange/upstream_stream.ts";
import { CHUNKED, type Framing, NO_BODY, ofLength, type ResponseHead } from "../http1/head.ts";
import type { Servers } from "../wire_context.ts";
import { replayConversation } from "./replay_conversation.ts";

/** All servers of one flow. */
export class RecordedServer implements Servers {
  readonly #recorded: HttpFlow;
  readonly #exchange: () => Exchange;

  /** @param recorded has the answer */
  constructor(recorded: HttpFlow, exchange: () => Exchange) {
    this.#recorded = recorded;
    this.#exchange = exchange;
  }

  /** @inheritdoc */
  idle(): UpstreamStream {
    return new RecordedStream(this.#recorded, this.#exchange());
  }

  /** @inheritdoc */
  connect(): Promise<UpstreamStream> {
    return Promise.resolve(this.idle());
  }

  /** @inheritdoc */
  tcp(): Promise<never> {
    return Promise.reject(new Error("a recorded server has no raw connections"));
  }
}

class RecordedStream implements UpstreamStream {
  readonly reused = false;
  readonly answered = false;
  readonly trickles = true;
  readonly #recorded: HttpFlow;
  readonly #exchange: Exchange;
  #steps: Iterator<void> | undefined;
  #stopped = false;
  #running = false;

  constructor(recorded: HttpFlow, exchange: Exchange) {
    this.#recorded = recorded;
    this.#exchange = exchange;
  }

  send(_: OutgoingRequest, user: UpstreamUser): BodySink {
    // The answer comes in a later turn, as that of any server does.
    const end = () => void setImmediate(() => this.#answer(user));
    return { data: () => true, end };
  }

  drained(callback: () => void): void {
    queueMicrotask(callback);
  }

  sending(): void {}

  sent(): void {}

  stop(): void {
    this.#stopped = true;
  }

  go(): void {
    this.#stopped = false;
    this.#run();
  }

  release(): void {
    this.#steps = undefined;
  }

  destroy(): void {
    this.#steps = undefined;
  }

  #answer(user: UpstreamUser): void {
    const { flow } = this.#exchange;
    if (this.#exchange.over || this.#steps !== undefined) return;
    flow.source = this.#recorded.source;
    flow.server = this.#recorded.server;
    const response = answerOf(this.#recorded);
    if (response?.status === 101) {
      this.#exchange.proceed(() => replayConversation(this.#exchange, this.#recorded, response));
      return;
    }
    this.#steps = this.#play(user, response);
    this.#run();
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    while (!this.#stopped && this.#steps !== undefined) {
      const steps: Iterator<void> = this.#steps;
      this.#exchange.proceed(() => {
        if (steps.next().done) this.#steps = undefined;
      });
      if (this.#exchange.over) this.#steps = undefined;
    }
    this.#running = false;
  }

  *#play(user: UpstreamUser, response: FlowResponse | undefined): Generator<void, void> {
    const { error, informational, request: { method } } = this.#recorded;
    for (const { status, reason, headers } of informational) {
      yield user.upstreamHead(headOf({ status, reason, headers }, NO_BODY));
    }
    if (response !== undefined) {
      const { content, trailers } = response;
      const none = bodyKind(response.status, method) !== "any";
      yield user.upstreamHead(headOf(response, none ? NO_BODY : trailers ? CHUNKED : ofLength(content.kept)));
      for (const piece of none ? [] : content.pieces()) {
        const data = new Uint8Array(piece);
        const more = user.upstreamData({ type: "data", data, chunk: data.length, final: true });
        if (!more) this.stop();
        yield;
      }
      this.#tellMissing(response);
    }
    if (error !== undefined) user.upstreamFailed({ ...error });
    else user.upstreamEnd(response?.trailers?.fields ?? "");
  }

  // What was not kept then is not there now.
  #tellMissing({ content }: FlowResponse): void {
    const given = this.#exchange.flow.response?.content;
    if (!content.truncated || given === undefined || given.complete) return;
    given.truncated = true;
    given.size = content.size;
    given.limit = content.kept;
  }
}

/** The answer as the server gave it: the addons that have changed it then will do so again. */
export function answerOf({ original, response }: HttpFlow): FlowResponse | undefined {
  return original ?? response;
}

function headOf(
  { status, reason, headers, httpVersion = "1.1" }:
    & Pick<FlowResponse, "status" | "reason" | "headers">
    & Partial<Pick<FlowResponse, "httpVersion">>,
  framing: Framing,
): ResponseHead {
  return {
    kind: "response",
    version: httpVersion,
    status,
    reason,
    // An own list: edited or not, it begins as it was sent.
    fields: FlowHeaders.fromFields(headers.fields).fields,
    framing,
    keepAlive: true,
    hops: [],
    lengthAt: -1,
    codingAt: -1,
    upgrade: undefined,
  };
}
