/**
 * Flows that go through the hooks once more, with the answers that they have had. Nothing reaches the network.
 *
 * @module
 */
import { copyRequest, copyResponse } from "../../flow/copy.ts";
import type { Flow } from "../../flow/flow.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { Dispatcher } from "../../hooks/dispatcher.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { reportFailed } from "../inbound/report_failed.ts";
import type { Observer, WireContext } from "../wire_context.ts";
import { begin, changed, checkOpen, newFlow, watching } from "./play.ts";
import { RecordedServer } from "./recorded_server.ts";
import { replayTcp } from "./replay_tcp.ts";

/** Whom a replay concerns. */
export interface ReplayOptions {
  /** Whose hooks fire. */
  readonly hooks: Dispatcher;
  /** Is told of the new flows. */
  readonly observer: Observer;
}

/**
 * Lets the hooks of a flow fire once more, on a copy, in the order in which they do for any flow.
 *
 * @returns the copy, when it is over
 * @throws {FlowtapeError} `PROXY_CLOSED`
 */
export function replay(recorded: Flow, wire: WireContext, { hooks, observer }: ReplayOptions): Promise<Flow> {
  checkOpen(wire);
  const context = changed(wire, { hooks, observer });
  if (recorded.type === "tcp") return replayTcp(recorded, context);
  const { method } = recorded.request;
  if (method === "MALFORMED" || method === "CONNECT") return replayWithoutExchange(recorded, context);
  let exchange: Exchange | undefined;
  const server = new RecordedServer(recorded, () => exchange!);
  const prepare = (begun: Exchange) => void (exchange = begun);
  return begin(recorded, changed(context, { upstream: server }), { complete: "as it is", prepare });
}

/** A request for a tunnel that was refused, or bytes that were no request: `httpConnect` and `error` are all that fires. */
async function replayWithoutExchange(recorded: HttpFlow, context: WireContext): Promise<HttpFlow> {
  const flow = newFlow(copyRequest(recorded.request), recorded);
  try {
    if (flow.request.method === "CONNECT") await context.hooks.run("httpConnect", flow);
  } catch (error) {
    flow.error ??= { code: "HOOK_FAILED", message: error instanceof Error ? error.message : String(error) };
  }
  if (flow.error === undefined && flow.response === undefined) {
    flow.source = recorded.source;
    flow.response = recorded.response && copyResponse(recorded.response);
    flow.error = recorded.error && { ...recorded.error };
  } else {
    flow.source = "addon";
  }
  const over = Promise.withResolvers<void>();
  const watched = watching(context, () => over.resolve());
  if (flow.error !== undefined) {
    reportFailed(watched, flow);
  } else {
    watched.observer.started(flow);
    flow.timings.end = performance.now() - flow.origin;
    flow.done = true;
    watched.observer.ended(flow);
  }
  await over.promise;
  return flow;
}
