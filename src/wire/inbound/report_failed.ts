/**
 * Flows that fail without ever having become an exchange.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { HttpVersion } from "../../flow/message.ts";
import type { Peer } from "../../flow/peer.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { WireContext } from "../wire_context.ts";
import type { Route } from "./route.ts";

/** Tells of a connection whose bytes are no request: there is none to speak of, but what came should be seen. */
export function reportMalformed(
  context: WireContext,
  client: Peer,
  { tunnel, scheme }: Route,
  version: HttpVersion,
  failure: FlowError,
): void {
  const address = {
    scheme,
    hostname: tunnel?.hostname ?? "malformed.invalid",
    port: tunnel?.port ?? 80,
    target: "/",
  };
  const request = new FlowRequest("MALFORMED", address, version, FlowHeaders.fromFields(""), BodyBuffer.NONE);
  const flow = new HttpFlow(request, client);
  flow.error = failure;
  reportFailed(context, flow);
}

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
