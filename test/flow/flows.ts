/** Flows made by hand, for tables of tests. */
import { BodyBuffer } from "../../src/flow/body_buffer.ts";
import { HttpFlow } from "../../src/flow/http_flow.ts";
import { FlowRequest, type RequestInit } from "../../src/flow/request.ts";
import { FlowResponse } from "../../src/flow/response.ts";
import { TcpFlow } from "../../src/flow/tcp_flow.ts";
import { TcpMessage } from "../../src/flow/tcp_message.ts";

const client = { id: 1, host: "127.0.0.1", port: 50000 };

export interface FlowInit extends RequestInit {
  json?: unknown;
  status?: number;
  error?: string;
  took?: number;
}

/** A flow that is over. A URL alone is a GET. */
export function httpFlow(init: FlowInit | string): HttpFlow {
  const { json, status, error, took, ...rest } = typeof init === "string" ? { url: init } as FlowInit : init;
  if (json !== undefined) {
    rest.body = JSON.stringify(json);
    rest.headers = { "content-type": "application/json", ...rest.headers as Record<string, string> };
  }
  const flow = new HttpFlow(FlowRequest.create(rest), client, 0);
  if (status !== undefined) flow.response = FlowResponse.create({ status, body: "ok" });
  if (error !== undefined) flow.error = { code: error, message: `it failed with ${error}` };
  flow.timings.end = took ?? 1;
  flow.done = true;
  return flow;
}

/** A flow whose request body is still on its way. */
export function arriving(init: FlowInit | string): HttpFlow {
  const flow = httpFlow(init);
  flow.request.content = new BodyBuffer();
  flow.done = false;
  return flow;
}

export function tcpFlow(): TcpFlow {
  const flow = new TcpFlow({ hostname: "db.test", port: 5432 }, client, 0);
  flow.messages.push(new TcpMessage("client", 1, new Uint8Array(7)));
  flow.bytes.client = 7;
  flow.timings.end = 3;
  flow.done = true;
  return flow;
}
