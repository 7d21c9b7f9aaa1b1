/**
 * Responses that an addon has made.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import type { FlowResponse } from "../../flow/response.ts";
import type { Exchange } from "./exchange.ts";

/**
 * How long an answer waits for the rest of a request that is being sent, in milliseconds. Whoever asserts on the flow after the client
 * has its answer wants to see the whole request; but a client may also wait for the answer before it sends more.
 */
const PATIENCE_MS = 100;

/**
 * Sends `flow.response`.
 *
 * @param stage which hooks of the response have run for it: none, `responseHeaders`, or both
 */
export function answer(exchange: Exchange, stage: "new" | "headed" | "complete" = "new"): void {
  const { flow } = exchange;
  const withBody = () => afterBody(exchange, () => send(exchange));
  switch (stage) {
    case "new":
      return afterRequest(exchange, () => exchange.hook("responseHeaders", () => unlessFailed(exchange, withBody)));
    case "headed":
      return withBody();
    case "complete":
      return send(exchange);
  }
}

function afterRequest(exchange: Exchange, next: () => void): void {
  const { upload, head, client } = exchange;
  if (upload.content.complete || head.expectContinue && upload.content.size === 0) {
    next();
    return;
  }
  upload.keep();
  let waiting = true;
  const go = () => {
    if (!waiting) return;
    waiting = false;
    clearTimeout(timer);
    if (!exchange.over) next();
  };
  const timer = setTimeout(go, PATIENCE_MS);
  upload.whole(go);
  client.readBody();
}

function afterBody(exchange: Exchange, next: () => void): void {
  const { flow, context } = exchange;
  const response = flow.response!;
  if (!context.hooks.needs("response", flow)) {
    next();
  } else if (response.content.complete) {
    exchange.hook("response", () => unlessFailed(exchange, next));
  } else if (response.stream) {
    exchange.hookAfterwards();
    next();
  } else {
    pump(exchange, response, () => true, () => exchange.hook("response", () => unlessFailed(exchange, next)));
  }
}

function unlessFailed(exchange: Exchange, next: () => void): void {
  const { flow } = exchange;
  if (flow.error !== undefined) exchange.fail(flow.error);
  else next();
}

function send(exchange: Exchange): void {
  const response = exchange.flow.response!;
  const sink = exchange.respond();
  const trailers = response.trailers?.fields ?? "";
  if (response.content.complete) {
    const data = response.encodedBody;
    if (data.length > 0) sink.data({ data, chunk: data.length, final: true });
    sink.end(trailers);
    exchange.finish();
    return;
  }
  pump(exchange, response, (data) => sink.data({ data, chunk: data.length, final: true }), () => {
    sink.end(trailers);
    exchange.finish();
  });
}

/** Reads the stream of a response into its body, and into a sink that may ask to wait. */
async function pump(
  exchange: Exchange,
  response: FlowResponse,
  take: (data: Uint8Array) => boolean,
  end: () => void,
): Promise<void> {
  const reader = response.source!.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (exchange.over) break;
      if (done) {
        response.content.complete = true;
        return end();
      }
      if (value.length === 0) continue;
      response.content.push(value);
      if (!take(value)) await new Promise<void>((resolve) => exchange.client.drained(resolve));
    }
    await reader.cancel();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    exchange.fail({ code: "HOOK_FAILED", message: `the stream of the response failed: ${why}` });
  }
}
