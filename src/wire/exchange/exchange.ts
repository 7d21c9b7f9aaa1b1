/**
 * The life of one HTTP flow, from the head of its request to its end.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { BreakStage } from "../../flow/shape.ts";
import type { HookName } from "../../hooks/table.ts";
import type { DataEvent } from "../http1/event.ts";
import type { RequestHead, ResponseHead } from "../http1/head.ts";
import { shapedResponse } from "../shape/shaped_response.ts";
import type { Shaper } from "../shape/shaper.ts";
import { slownessOf } from "../shape/slowness.ts";
import type { WireContext } from "../wire_context.ts";
import { answer } from "./answer.ts";
import { BodyPipe, type BodySink } from "./body_pipe.ts";
import type { ClientStream } from "./client_stream.ts";
import { planFailure } from "./failure.ts";
import { FlowHooks } from "./flow_hooks.ts";
import { Forwarding } from "./forwarding.ts";
import { responseOut } from "./response_out.ts";
import type { OutgoingRequest } from "./upstream_stream.ts";
import type { Upgrade } from "./upgrade.ts";

/** One request and what becomes of it: the client's connection feeds it, hooks decide, and it ends exactly once. */
export class Exchange implements OutgoingRequest {
  /** What the hooks see. */
  readonly flow: HttpFlow;
  /** The head of the request as it came. */
  readonly head: RequestHead;
  /** The body of the request. */
  readonly upload: BodyPipe;
  /** The client. */
  readonly client: ClientStream;
  /** What the connections of the proxy share. */
  readonly context: WireContext;
  /** The proxy itself has answered `Expect: 100-continue`. */
  continued = false;
  /** The head of the response has been sent. */
  responding = false;

  /** What the client asks for besides an answer. */
  upgrade: Upgrade | undefined;
  /** The field lines that ask the server for a WebSocket. */
  handshake: string | undefined;
  /** The client's connection is a WebSocket now: there is nobody to answer any more. */
  switched = false;
  /** `flow.kill()` was called: the client gets no page, whatever the code. */
  killed = false;
  /** Called when nothing more happens. */
  onOver: (() => void) | undefined;

  readonly #hooks: FlowHooks;
  #forwarding: Forwarding | undefined;
  #shaper: Shaper | undefined;
  #lastHook: HookName | undefined;
  #sent = false;
  #observed = false;
  #over = false;

  /** @param flow with a request whose body is still to come */
  constructor(flow: HttpFlow, head: RequestHead, client: ClientStream, context: WireContext) {
    this.flow = flow;
    this.head = head;
    this.client = client;
    this.context = context;
    this.#hooks = new FlowHooks(this, context.hooks);
    this.upload = new BodyPipe(flow.request.content);
    flow.onKill = () => {
      this.killed = true;
      this.fail(flow.error!);
    };
    flow.onListen = () => {
      if (!this.#over && !this.responding) this.expectBody();
    };
  }

  /** Whether nothing more happens. */
  get over(): boolean {
    return this.#over;
  }

  /** The request head has arrived. */
  begin(): void {
    this.#observe();
    this.hook("requestHeaders", () => {
      const { observer } = this.context;
      const { content } = this.upload;
      content.limit = observer.bodyLimit(this.flow);
      if (!content.complete) content.plan = observer.overflow?.(this.flow, this.flow.request);
      this.#decide(() => this.#awaitBody());
    });
  }

  /** The request asks for a tunnel, which `open` opens unless an addon refuses. Only one that is refused or fails is observed. */
  beginTunnel(open: () => void): void {
    this.upload.content.complete = true;
    this.hook("httpConnect", () => {
      const { error, response } = this.flow;
      if (error !== undefined) {
        this.fail(error);
      } else if (response !== undefined && response.status >= 300) {
        this.#observe();
        this.#answer("complete");
      } else {
        this.#over = true;
        this.flow.onKill = undefined;
        open();
      }
    });
  }

  /** A piece of the request body. `false`: no more until {@linkcode ClientStream.readBody}. */
  requestData(event: DataEvent): boolean {
    if (this.upload.data(event)) {
      this.#forwarding?.sending();
      return true;
    }
    const { content } = this.upload;
    const more = () => content.drained(() => this.client.readBody());
    if (this.#forwarding !== undefined) this.#forwarding.drained(more);
    else if (content.full) more();
    return false;
  }

  /** The request is complete. */
  requestEnd(trailers: string): void {
    if (trailers !== "" && !this.#over) this.flow.request.trailers = FlowHeaders.fromFields(trailers);
    if (!this.#over) this.flow.timings.requestEnd = performance.now() - this.flow.origin;
    this.upload.end(trailers);
    if (this.head.framing.kind !== "none") this.#forwarding?.sent();
  }

  /**
   * The client is gone.
   *
   * @param resetCode with which it has reset its stream (HTTP/2)
   */
  clientGone(resetCode?: number): void {
    // It has its answer: only a hook is still looking at it.
    if (this.#sent) return;
    if (this.#shaper?.whole) {
      this.#shaper.close();
      return this.finish();
    }
    const { method, url } = this.flow.request;
    this.fail({
      code: "CLIENT_ABORTED",
      message: resetCode === undefined
        ? `the client closed the connection before ${method} ${url} was answered`
        : `the client reset the stream of ${method} ${url} (code ${resetCode}) before it was answered`,
      ...(resetCode === undefined ? {} : { resetCode }),
    });
  }

  /** Runs a hook, then goes on unless the flow has ended meanwhile. Nothing waits when no hook is async. */
  hook(name: HookName, next: () => void, more?: unknown): void {
    this.#hooks.run(name, next, more);
  }

  /** Goes on unless the flow has ended. What an addon has left behind may be impossible to send: that fails its flow, not the proxy. */
  proceed(next: () => void): void {
    this.#hooks.proceed(next);
  }

  /** Lets the request body come; a client that waits for `100 Continue` gets it. */
  expectBody(): void {
    if (this.head.expectContinue && !this.upload.content.complete && !this.continued) {
      this.continued = true;
      this.client.inform(100, "Continue", "");
    }
    this.client.readBody();
  }

  /** Sends the head of the response and gives the sink for its body. */
  respond(head?: ResponseHead): BodySink {
    const out = responseOut(this.flow.response!, head, this.flow.request.method);
    this.responding = true;
    const { shape } = this.flow;
    if (shape === undefined || shape.response.length === 0) return this.client.respond(out);
    this.#shaper = shapedResponse(this, out, shape);
    this.#shaper.start();
    return this.#shaper;
  }

  /** Calls once when what was sent of the response has been taken. */
  drained(callback: () => void): void {
    (this.#shaper ?? this.client).drained(callback);
  }

  /** @inheritdoc */
  get slowHead(): number {
    return slownessOf(this.flow.shape?.request ?? [], "slow-head");
  }

  /** It is time to break the connection on purpose. */
  break({ code, description, cut }: BreakStage): void {
    const { method, url } = this.flow.request;
    this.flow.cut = cut;
    this.fail({ code, message: `${method} ${url} was broken by a rule: ${description}` });
  }

  /** The hook fires when everything has passed: `response`, when it was not held back for it. */
  hookAfterwards(name: "response" | "websocketEnd" = "response"): void {
    this.#lastHook = name;
  }

  /** The response has been sent whole. */
  finish(): void {
    if (this.#over) return;
    if (this.#shaper?.pending) return this.#shaper.onDone(() => this.finish());
    if (this.#lastHook !== undefined) {
      const name = this.#lastHook;
      this.#lastHook = undefined;
      this.#sent = true;
      this.hook(name, () => this.unlessFailed(() => this.finish()));
      return;
    }
    this.#end();
    this.context.observer.ended(this.flow);
    if (!this.switched) this.client.done();
  }

  /** Ends the flow with an error: the client is told as far as that is still possible. */
  fail(error: FlowError): void {
    if (this.#over) return;
    this.#observe();
    const plan = planFailure(this, error);
    this.flow.error = plan.error;
    this.#end();
    this.#forwarding?.cut(error, this.flow.cut);
    this.#hooks.runError(() => this.context.observer.ended(this.flow));
    try {
      plan.tell();
    } catch {
      // A code or status that an addon made up may be impossible to send: the client must not wait for it.
      this.client.abort();
    }
  }

  /** Goes on unless an addon has set `flow.error`. */
  unlessFailed(next: () => void): void {
    if (this.flow.error !== undefined) this.fail(this.flow.error);
    else next();
  }

  #observe(): void {
    if (this.#observed) return;
    this.#observed = true;
    this.context.observer.started(this.flow);
  }

  // What the addons have decided: an error, an answer, or nothing.
  #decide(undecided: () => void): void {
    const { flow } = this;
    if (flow.error !== undefined) this.fail(flow.error);
    else if (flow.response !== undefined) this.#answer("new");
    else undecided();
  }

  #answer(stage: "new" | "complete"): void {
    const { flow } = this;
    if (flow.source === "upstream") flow.source = "addon";
    answer(this, stage);
  }

  #awaitBody(): void {
    const { request } = this.flow;
    if (!this.context.hooks.needs("request", this.flow)) {
      this.#forward();
    } else if (request.stream) {
      this.upload.onEnd(() => this.hook("request", () => this.unlessFailed(() => {})));
      this.#forward();
    } else {
      this.expectBody();
      this.upload.whole(() => this.hook("request", () => this.#decide(() => this.#forward())));
    }
  }

  #forward(): void {
    this.#forwarding = new Forwarding(this);
    this.#forwarding.start();
  }

  #end(): void {
    this.#over = true;
    const { flow } = this;
    flow.onKill = flow.onListen = undefined;
    flow.timings.end = performance.now() - flow.origin;
    flow.done = true;
    this.#shaper?.close();
    if (!this.upload.ended) this.upload.drop();
    this.onOver?.();
  }
}
