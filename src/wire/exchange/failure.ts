/**
 * How a client learns that its request has failed.
 *
 * @module
 */
import { answerFor, type FlowError, isUpstreamFailure } from "../../flow/flow_error.ts";
import { CHUNKED } from "../http1/head.ts";
import type { ClientStream } from "./client_stream.ts";
import type { Exchange } from "./exchange.ts";
import { failureResponse } from "./failure_page.ts";
import { responseOut } from "./response_out.ts";

/** What is known of a failure, and the deed of telling it. */
export interface FailurePlan {
  /** The error with the status that the client gets. */
  readonly error: FlowError;
  /** Tells the client. */
  tell(): void;
}

/** Decides how the client learns of a failure; nothing is sent yet. */
export function planFailure(exchange: Exchange, error: FlowError): FailurePlan {
  const { client, flow } = exchange;
  // Whoever carries the conversation closes it.
  if (exchange.switched) return { error, tell: () => {} };
  const { cut } = flow;
  if (cut !== undefined) return { error, tell: () => client.cut(cut, error) };
  if (exchange.responding || exchange.killed) return { error, tell: () => client.abort(error) };
  // A client that speaks HTTP/2 gets the reset that the server has sent.
  if (error.resetCode !== undefined && exchange.head.version === "2") return { error, tell: () => client.abort(error) };
  const brokeOff = flow.source === "tape" && flow.response !== undefined && isUpstreamFailure(error);
  if (brokeOff) return { error, tell: () => tellPart(exchange) };
  const how = answerFor(error);
  if (how === "reset") return { error, tell: () => client.abort(error) };
  return { error: { ...error, status: how }, tell: () => tellPage(exchange, error, how) };
}

/** The page for a failure. */
export function sendPage(
  client: ClientStream,
  error: FlowError,
  status: number,
  method: string,
  accept: string | null,
): void {
  const page = failureResponse(error, status, accept);
  const sink = client.respond(responseOut(page, undefined, method));
  const data = page.encodedBody;
  sink.data({ data, chunk: data.length, final: true });
  sink.end("");
}

function tellPage(exchange: Exchange, error: FlowError, status: number): void {
  const { request } = exchange.flow;
  sendPage(exchange.client, error, status, request.method, request.headers.get("accept"));
  exchange.client.done();
}

// A recorded answer that broke off: the part that is known, then the cut.
function tellPart(exchange: Exchange): void {
  const { flow, client } = exchange;
  const response = flow.response!;
  const out = responseOut(response, undefined, flow.request.method);
  const data = response.encodedBody;
  const fields = out.fields.replace(/^(?:content-length|transfer-encoding):.*\r\n/gim, "");
  exchange.responding = true;
  const sink = client.respond({ ...out, fields: `${fields}Transfer-Encoding: chunked\r\n`, framing: CHUNKED });
  if (data.length > 0) sink.data({ data, chunk: data.length, final: true });
  client.abort();
}
