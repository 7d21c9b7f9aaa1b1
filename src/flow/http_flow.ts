/**
 * One HTTP exchange.
 *
 * @module
 */
import { copyRequest, copyResponse } from "./copy.ts";
import { OptionsError } from "./error.ts";
import type { Flow } from "./flow.ts";
import type { FlowError, FlowErrorCode } from "./flow_error.ts";
import type { FlowHeaders } from "./headers.ts";
import type { Peer } from "./peer.ts";
import { describeValue } from "./matcher/describe.ts";
import { checkPlayer, type FlowPlayer, type PlayFlowOptions, unbound } from "./player.ts";
import { redirected } from "./redirect.ts";
import { cookiesAfter, cookiesOf, setCookies } from "./redirect_cookies.ts";
import type { FlowRequest } from "./request.ts";
import type { FlowResponse } from "./response.ts";
import { redactUrl } from "./sensitive.ts";
import { similar } from "./similar.ts";
import type { Cut, Shape } from "./shape.ts";
import type { Timings } from "./timings.ts";
import type { WebSocketConversation } from "./websocket.ts";

/** Who answered a flow. */
export type FlowSource = "upstream" | "rule" | "tape" | "app" | "addon";

/** An informational response (1xx): something that the server says before it answers. */
export interface InformationalResponse {
  /** Such as 103. */
  readonly status: number;
  /** Such as `Early Hints`. */
  readonly reason: string;
  /** Such as the `Link` fields of early hints. */
  readonly headers: FlowHeaders;
}

/** What {@linkcode HttpFlow.edit} takes besides the change. */
export interface EditFlowOptions {
  /** What the change tries out: it is kept in `metadata.payload`, and `flows.withoutPayloads()` leaves such flows out. */
  payload?: string;
}

let lastId = 0;

/** One HTTP exchange: a request, and a response or an error. */
export class HttpFlow {
  /** `"http"`. */
  readonly type = "http";
  /** Unique in this process. */
  get id(): string {
    return `flow-${this.#number}`;
  }
  /** The request. */
  request: FlowRequest;
  /** The response, from its head on. An addon that sets it before the request is forwarded answers the flow. */
  response?: FlowResponse;
  /** The conversation, from the moment on at which the server has agreed to a WebSocket. */
  websocket?: WebSocketConversation;
  /** Why the flow failed: such a flow has an `error` hook and no `response` hook. An addon that sets it ends the flow. */
  error?: FlowError;
  /** The client's connection. */
  readonly client: Peer;
  /** The server's connection; none when the flow was answered without one. */
  server?: Peer;
  /** Who answered. */
  source: FlowSource = "upstream";
  /** A mark for the report and the filter language. */
  marked?: string;
  /** A remark for the report and the tape. */
  comment?: string;
  /** `performance.now()` at the start: what the other timings count from. */
  readonly origin: number = performance.now();
  /** True once nothing more happens: the response has passed, or it failed. */
  done = false;

  /**
   * An addon has put off its decision until the request is complete: an addon behind it must not answer before, in
   * `requestHeaders`.
   */
  undecided = false;
  /**
   * The client takes the proxy for the server: it has sent the request to the proxy itself, by path, and not as one sends it to a proxy (with
   * an absolute URL, or in a tunnel).
   */
  direct = false;
  /** Of a CONNECT: what comes in the tunnel is relayed as it is, unread. An addon sets it in `httpConnect`. */
  relay = false;
  /**
   * The response as the server sent it, when an addon has changed what the client got: this is what belongs on a tape, for the same
   * addon will change it again when it is replayed.
   */
  original: FlowResponse | undefined;
  /** For the wire: lets the body of the request come although `requestHeaders` has not decided yet; `content.onMore` tells of it. */
  onListen: (() => void) | undefined;
  /** For the wire: what a kill does while the flow is in flight. */
  onKill: (() => void) | undefined;
  /** For the rule engine: what it knows of the flow. */
  ruleState: unknown;
  /** For rules and the wire: how the bytes travel. */
  shape: Shape | undefined;
  /** For rules and the wire: how the connections are broken; set together with `error`. */
  cut: Cut | undefined;

  readonly #number = ++lastId;
  readonly #timings: Timings;
  #player: FlowPlayer | undefined;
  #basis: string | undefined;
  #metadata: Record<string, unknown> | undefined;
  #alerts: string[] | undefined;
  #faults: string[] | undefined;
  #informational: InformationalResponse[] | undefined;

  /** For the wire and the tape. */
  constructor(request: FlowRequest, client: Peer, start: number = Date.now()) {
    this.request = request;
    this.client = client;
    this.#timings = { start };
  }

  /** When its stages happened. */
  get timings(): Timings {
    return this.#timings;
  }

  /** The informational responses (1xx) of the server so far; of very many, the newest. */
  get informational(): InformationalResponse[] {
    return this.#informational ??= [];
  }

  /** A place for addons to keep what they know of this flow; use a key of your own. */
  get metadata(): Record<string, unknown> {
    return this.#metadata ??= {};
  }

  /** What alerters found. */
  get alerts(): string[] {
    return this.#alerts ??= [];
  }

  /** What was done to its connections on purpose (`fault()`, `throttle()`), a line each: what slows from the start, what breaks when it does. */
  get faults(): string[] {
    return this.#faults ??= [];
  }

  /** Who plays it: the proxy that has captured it, or that it was bound to. */
  get player(): FlowPlayer | undefined {
    return this.#player;
  }

  /** For the proxy: it has captured the flow. Everybody else uses {@linkcode HttpFlow.bind | bind()}. */
  set player(player: FlowPlayer | undefined) {
    this.#player = player;
  }

  /** For the wire: the id of the flow that this one is a changed copy of; its own when it is none. */
  get basis(): string {
    return this.#basis ?? this.id;
  }

  /** Whether another flow went to the same place: host, port, path, with or without TLS. Method, query and body may differ. */
  similar(other: Flow): boolean {
    return similar(this, other);
  }

  /**
   * A flow that has not been sent, with a copy of this one's request that the function changes. This one stays as it is.
   *
   * @example
   * ```ts
   * import { startProxy } from "flowtape";
   *
   * await using proxy = await startProxy();
   * const flow = proxy.flows.first();
   * if (flow?.type === "http") await flow.edit((request) => request.headers.delete("authorization")).play();
   * ```
   *
   * @throws {OptionsError} it is no function, or an async one
   */
  edit(change: (request: FlowRequest) => unknown, options: EditFlowOptions = {}): HttpFlow {
    if (typeof change !== "function") {
      throw new OptionsError(`edit() takes a function that changes a request, not ${describeValue(change)}`);
    }
    const flow = this.#unsent(copyRequest(this.request));
    const returned = change(flow.request);
    if (typeof (returned as Partial<Promise<unknown>> | null | undefined)?.then === "function") {
      (returned as Promise<unknown>).then(undefined, () => {});
      throw new OptionsError(
        "the function of edit() may not be async: change the request before, or use play({ edit })",
      );
    }
    if (options.payload !== undefined) flow.metadata.payload = options.payload;
    return flow;
  }

  /**
   * Sends the request again, exactly as it is, and resolves with the new flow when that is over, however it ended. This one stays as
   * it is.
   *
   * @throws {OptionsError} it is bound to no proxy, or a WebSocket
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  async play(options?: PlayFlowOptions): Promise<HttpFlow> {
    if (this.#player === undefined) throw unbound(`${this.request.method} ${redactUrl(this.request.url)}`);
    return await this.#player.play(this, options);
  }

  /**
   * The flow of the next hop of a redirection, which has not been sent; `undefined` when the response is none (RFC 9110 section 15.4).
   *
   * As with `fetch`, 303 makes it a GET without a body, 301 and 302 make a GET of a POST, 307 and 308 change nothing; `Authorization`
   * does not go to another origin. There is no cookie jar: the next request has the cookies of this one when the host is the same, and
   * those that the response has set for it.
   *
   * @throws {FlowtapeError} `BAD_REDIRECT`: it leads to what is no http or https URL
   */
  follow(): HttpFlow | undefined {
    const next = this.response && redirected(this.request, this.response);
    return next && this.#unsent(next);
  }

  /**
   * A copy of this flow that is played by a proxy; this one stays bound to whom it was. Or, given another flow, one that has not been
   * sent and goes on where that one ended: with its cookies, those of its request and those that its response has set, as far as they are
   * for this host and path.
   *
   * @throws {OptionsError} it is neither
   */
  bind(to: FlowPlayer | HttpFlow): HttpFlow {
    if (to instanceof HttpFlow) {
      return this.edit((request) => setCookies(request, cookiesAfter(to, request, cookiesOf(request))));
    }
    checkPlayer(to, "bind()");
    const copy = this.#unsent(copyRequest(this.request));
    Object.assign(copy.timings, this.timings);
    copy.response = this.response && copyResponse(this.response);
    copy.original = this.original && copyResponse(this.original);
    copy.websocket = this.websocket;
    copy.error = this.error;
    copy.server = this.server;
    copy.source = this.source;
    copy.direct = this.direct;
    copy.done = this.done;
    copy.player = to;
    Object.assign(copy.metadata, this.metadata);
    copy.alerts.push(...this.alerts);
    copy.informational.push(...this.informational);
    return copy;
  }

  #unsent(request: FlowRequest): HttpFlow {
    const flow = new HttpFlow(request, this.client);
    flow.player = this.#player;
    flow.#basis = this.basis;
    flow.direct = this.direct;
    flow.marked = this.marked;
    flow.comment = this.comment;
    if (this.#metadata?.payload !== undefined) flow.metadata.payload = this.#metadata.payload;
    return flow;
  }

  /** Ends the flow: the client's connection is cut, the server's too. Has no effect on a flow that is done. */
  kill(code: FlowErrorCode = "KILLED"): void {
    if (this.done) return;
    this.error ??= { code, message: `${this.request.method} ${this.request.url} was ended by flow.kill()` };
    this.onKill?.();
  }
}
