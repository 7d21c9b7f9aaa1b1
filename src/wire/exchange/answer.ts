/**
 * Responses that an addon has made.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { OptionsError } from "../../flow/error.ts";
import { FlowResponse } from "../../flow/response.ts";
import { answerWebSocket } from "../websocket/answering.ts";
import type { Exchange } from "./exchange.ts";
import { bodyKind } from "./response_out.ts";
import { sayBefore } from "./say_before.ts";

/**
 * How long an answer waits for the rest of a request that is being sent, in milliseconds. Whoever asserts on the flow after the client
 * has its answer wants to see the whole request; but a client may also wait for the answer before it sends more.
 */
const PATIENCE_MS = 100;

type StreamReader = ReadableStreamDefaultReader<Uint8Array>;

/**
 * Sends `flow.response`.
 *
 * @param stage which hooks of the response have run for it: none, `responseHeaders`, or both
 */
export function answer(exchange: Exchange, stage: "new" | "headed" | "complete"): void {
  if (!(exchange.flow.response instanceof FlowResponse)) {
    throw new OptionsError(
      "flow.response is no FlowResponse: make one with FlowResponse.create({ status, headers, body })",
    );
  }
  if (exchange.flow.response.websocket !== undefined && exchange.flow.response.status === 101) {
    if (stage === "new") return answerWebSocket(exchange, (stage) => answer(exchange, stage));
    throw new OptionsError(
      "flow.response switches to a WebSocket: set it in requestHeaders or request, for now it is too late",
    );
  }
  const withBody = () => afterBody(exchange, () => send(exchange));
  switch (stage) {
    case "new":
      return afterRequest(
        exchange,
        () => sayBefore(exchange, () => exchange.hook("responseHeaders", () => exchange.unlessFailed(withBody))),
      );
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
  if (upload.content.onMore !== undefined) {
    // Whoever answers listens to the client, and answers meanwhile.
    client.readBody();
    return next();
  }
  let waiting = true;
  const go = () => {
    if (!waiting) return;
    waiting = false;
    clearTimeout(timer);
    exchange.onOver = undefined;
    exchange.proceed(next);
  };
  const timer = setTimeout(go, PATIENCE_MS);
  exchange.onOver = () => clearTimeout(timer);
  upload.whole(go);
  client.readBody();
}

function afterBody(exchange: Exchange, next: () => void): void {
  const { flow, context } = exchange;
  const response = flow.response!;
  letGoUnsendable(exchange);
  const need = context.hooks.needs("response", flow);
  if (need !== true) {
    if (need === "after") exchange.hookAfterwards();
    next();
  } else if (response.content.complete) {
    exchange.hook("response", () => exchange.unlessFailed(next));
  } else if (response.stream) {
    exchange.hookAfterwards();
    next();
  } else {
    pump(exchange, readerOf(response), () => true, () => exchange.hook("response", () => exchange.unlessFailed(next)));
  }
}

function send(exchange: Exchange): void {
  const response = exchange.flow.response!;
  letGoUnsendable(exchange);
  const reader = response.content.complete ? undefined : readerOf(response);
  const sink = exchange.respond();
  const trailers = response.trailers?.fields ?? "";
  if (reader === undefined) {
    const data = response.encodedBody;
    if (data.length > 0) sink.data({ data, chunk: data.length, final: true });
    sink.end(trailers);
    exchange.finish();
    return;
  }
  response.content.limit = exchange.context.observer.bodyLimit(exchange.flow);
  pump(exchange, reader, (data) => sink.data({ data, chunk: data.length, final: true }), () => {
    sink.end(trailers);
    exchange.finish();
  });
}

/** A stream is not read where there is no body to send: a response to HEAD, a 204, a 304. */
function letGoUnsendable({ flow }: Exchange): void {
  const { content, source, status } = flow.response!;
  if (content.complete || bodyKind(status, flow.request.method) === "any") return;
  content.complete = true;
  source?.cancel().catch(() => {});
}

/** Throws when somebody else reads the stream already. */
function readerOf(response: FlowResponse): StreamReader {
  return response.source!.getReader();
}

/** Reads the stream of the response into its body, and into a sink that may ask to wait. */
async function pump(
  exchange: Exchange,
  reader: StreamReader,
  take: (data: Uint8Array) => boolean,
  end: () => void,
): Promise<void> {
  const { content } = exchange.flow.response!;
  // This also ends a read that waits.
  exchange.onOver = () => void reader.cancel().catch(() => {});
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (exchange.over) return;
      if (done) {
        content.complete = true;
        return end();
      }
      if (value.length === 0) continue;
      content.push(value);
      if (!take(value)) await new Promise<void>((resolve) => exchange.drained(resolve));
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    exchange.fail({ code: "HOOK_FAILED", message: `the stream of the response failed: ${why}` });
  }
}
