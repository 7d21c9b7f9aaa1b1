/**
 * Requests that the proxy itself sends, through its own hooks and on to servers, as if a client had.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { copyRequest } from "../../flow/copy.ts";
import { FlowtapeError } from "../../flow/error.ts";
import type { Flow } from "../../flow/flow.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import { nextPeerId, type Peer } from "../../flow/peer.ts";
import { FlowRequest } from "../../flow/request.ts";
import { noteSentAgain } from "../../flow/sent_again.ts";
import { Dispatcher } from "../../hooks/dispatcher.ts";
import { Exchange } from "../exchange/exchange.ts";
import { reportFailed } from "../inbound/report_failed.ts";
import type { Observer, WireContext } from "../wire_context.ts";
import { type MissingRest, PlayedClient } from "./played_client.ts";
import { checkComplete, type PlayedRequest, playedRequest } from "./played_request.ts";

/** Milliseconds until a flow that does not end is given up. */
const TIMEOUT_MS = 30_000;

/**
 * Sends the request of a flow, and resolves with the new flow when that is over, however it ended.
 *
 * @param timeout milliseconds until it is given up
 * @throws {FlowtapeError} `PROXY_CLOSED`
 */
export function play(source: HttpFlow, context: WireContext, timeout: number = TIMEOUT_MS): Promise<HttpFlow> {
  checkOpen(context);
  return begin(source, context, { timeout, complete: "required" });
}

/** How a server is asked. */
export interface AskOptions {
  /** Milliseconds until it is given up. */
  readonly timeout: number;
  /** How many bytes of a body are kept. */
  readonly bodyLimit: number;
}

/**
 * Sends the request of a flow to its server, past all hooks; nobody is told of the new flow but who asked. Resolves when that is over,
 * however it ended.
 *
 * @throws {FlowtapeError} `PROXY_CLOSED`
 */
export function ask(source: HttpFlow, context: WireContext, { timeout, bodyLimit }: AskOptions): Promise<HttpFlow> {
  checkOpen(context);
  const observer: Observer = { started() {}, ended() {}, bodyLimit: () => bodyLimit, offline: () => false };
  const hooks = new Dispatcher([], () => {});
  return begin(source, changed(context, { hooks, observer }), { timeout, complete: "required" });
}

/** @throws {FlowtapeError} `PROXY_CLOSED` */
export function checkOpen({ closing }: WireContext): void {
  if (closing.aborted) throw new FlowtapeError("PROXY_CLOSED", "the proxy is closed: it plays no flows any more");
}

/** The client of a flow that is played: the proxy itself. */
export function playedPeer(source: Flow): Peer {
  const played = source.type === "http" ? source.basis : source.id;
  return { id: nextPeerId(), host: "played", port: 0, connectedAt: Date.now(), played };
}

/** How an exchange is begun. */
export interface BeginOptions {
  /** Milliseconds until it is given up; for ever by default. */
  readonly timeout?: number;
  /** Whether the body of the request must be there as a whole. */
  readonly complete: "required" | "as it is";
  /** Is given the exchange before it begins. */
  readonly prepare?: (exchange: Exchange) => void;
}

/** Begins an exchange and resolves when its flow is over. */
export function begin(source: HttpFlow, context: WireContext, options: BeginOptions): Promise<HttpFlow> {
  const over = Promise.withResolvers<HttpFlow>();
  let request: PlayedRequest;
  try {
    if (options.complete === "required") checkComplete(source.request);
    request = playedRequest(source.request, context.config.headBytes);
  } catch (error) {
    const flow = newFlow(copyRequest(source.request), source);
    const code = error instanceof Error && "code" in error ? String(error.code) : "PLAY_FAILED";
    flow.error = { code, message: error instanceof Error ? error.message : String(error) };
    reportFailed(watching(context, (ended) => over.resolve(ended as HttpFlow)), flow);
    return over.promise;
  }
  const { head } = request;
  const { scheme, hostname, port, target, content } = source.request;
  const headers = FlowHeaders.fromFields(head.fields);
  const body = head.framing.kind === "none" ? BodyBuffer.NONE : new BodyBuffer();
  const flow = newFlow(
    new FlowRequest(head.method, { scheme, hostname, port, target }, head.version, headers, body),
    source,
  );
  const rest: MissingRest | undefined = content.truncated ? { size: content.size } : undefined;
  const settle = () => {
    clearTimeout(timer);
    context.clients.delete(client);
    over.resolve(flow);
  };
  const client = new PlayedClient(request, rest, settle);
  const exchange = new Exchange(flow, head, client, watching(context, settle));
  const { timeout } = options;
  const timer = timeout === undefined ? undefined : setTimeout(() => {
    const message = `the flow did not end within ${timeout} ms, which is how long play() was to wait (timeout)`;
    client.shutDown({ code: "CLIENT_ABORTED", message });
  }, timeout);
  context.clients.add(client);
  options.prepare?.(exchange);
  client.begin(exchange);
  return over.promise;
}

/** A flow that has not begun, with what the user has noted on the other one. */
export function newFlow(request: FlowRequest, source: HttpFlow): HttpFlow {
  const flow = new HttpFlow(request, playedPeer(source));
  noteSentAgain(flow);
  flow.direct = source.direct;
  flow.marked = source.marked;
  flow.comment = source.comment;
  const { payload } = source.metadata;
  if (payload !== undefined) flow.metadata.payload = payload;
  return flow;
}

/** The same context, but its observer also tells somebody else that the flow has ended. */
export function watching(context: WireContext, ended: (flow: Flow) => void): WireContext {
  const { observer } = context;
  const watched: Observer = {
    ...observer,
    ended: (flow) => {
      observer.ended(flow);
      ended(flow);
    },
  };
  return changed(context, { observer: watched });
}

/** The same context with something else in it. */
export function changed(context: WireContext, changes: Partial<Omit<WireContext, "now">>): WireContext {
  const copy = { ...context, ...changes };
  return Object.assign(copy, { now: copy });
}
