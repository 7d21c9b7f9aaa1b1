/**
 * One HTTP exchange.
 *
 * @module
 */
import type { FlowError, FlowErrorCode } from "./flow_error.ts";
import type { FlowHeaders } from "./headers.ts";
import type { Peer } from "./peer.ts";
import type { FlowRequest } from "./request.ts";
import type { FlowResponse } from "./response.ts";
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
  /** When its stages happened. */
  readonly timings: Timings;
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
  /** Of a CONNECT: what comes in the tunnel is relayed as it is, unread. An addon sets it in `httpConnect`. */
  relay = false;
  /**
   * The response as the server sent it, when an addon has changed what the client got: this is what belongs on a tape, for the same
   * addon will change it again when it is replayed.
   */
  original: FlowResponse | undefined;
  /** For the wire: what a kill does while the flow is in flight. */
  onKill: (() => void) | undefined;
  /** For the rule engine: what it knows of the flow. */
  ruleState: unknown;
  /** For rules and the wire: how the bytes travel. */
  shape: Shape | undefined;
  /** For rules and the wire: how the connections are broken; set together with `error`. */
  cut: Cut | undefined;

  readonly #number = ++lastId;
  #metadata: Record<string, unknown> | undefined;
  #alerts: string[] | undefined;
  #faults: string[] | undefined;
  #informational: InformationalResponse[] | undefined;

  /** For the wire and the tape. */
  constructor(request: FlowRequest, client: Peer, start: number = Date.now()) {
    this.request = request;
    this.client = client;
    this.timings = { start };
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

  /** Ends the flow: the client's connection is cut, the server's too. Has no effect on a flow that is done. */
  kill(code: FlowErrorCode = "KILLED"): void {
    if (this.done) return;
    this.error ??= { code, message: `${this.request.method} ${this.request.url} was ended by flow.kill()` };
    this.onKill?.();
  }
}
