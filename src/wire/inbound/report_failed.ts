/**
 * Flows that fail without ever having become an exchange.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { WireContext } from "../wire_context.ts";

/** Tells the observer and the `error` hooks of a flow that has failed; `flow.error` is set. */
export function reportFailed(context: WireContext, flow: HttpFlow): void {
  context.observer.started(flow);
  flow.done = true;
  flow.timings.end = performance.now() - flow.origin;
  const ended = () => context.observer.ended(flow);
  try {
    const waiting = context.hooks.run("error", flow);
    if (waiting !== undefined) {
      waiting.then(ended, ended);
      return;
    }
  } catch {
    // The dispatcher has reported it.
  }
  ended();
}
