/** What a shop's client has sent, for tests of failures. */
import { FlowSet } from "../../src/flow/flow_set.ts";
import type { HttpFlow } from "../../src/flow/http_flow.ts";
import { FlowResponse, type ResponseInit } from "../../src/flow/response.ts";
import { WebSocketConversation, WebSocketMessage, type WebSocketMessageInit } from "../../src/flow/websocket.ts";
import { type FlowInit, httpFlow } from "../flow/flows.ts";

/** A flow that was answered. */
export function answered(init: FlowInit | string, response: ResponseInit): HttpFlow {
  const flow = httpFlow(init);
  flow.response = FlowResponse.create(response);
  return flow;
}

export const SECRETS: readonly string[] = ["hunter2", "tok_live_51H8xQ2eZvKYlo2C", "s3cr3t-session-value"];

/** Five requests of a checkout, with secrets in every place. */
export function shop(): FlowSet {
  return new FlowSet([
    answered("https://shop.test/cart?page=1&sort=price", { json: { items: [] } }),
    answered({
      method: "POST",
      url: `https://shop.test/orders?coupon=SUMMER&token=${SECRETS[1]}`,
      headers: { authorization: `Bearer ${SECRETS[1]}`, cookie: `sid=${SECRETS[2]}`, "x-trace": "1" },
      json: { customer: { id: 7, password: SECRETS[0] }, items: [{ sku: "A-1", qty: 3 }, { sku: "B-2", qty: 1 }] },
    }, { status: 201, json: { id: 1, state: "open" } }),
    answered({
      method: "POST",
      url: "https://shop.test/orders?coupon=SUMMER",
      json: { customer: { id: 8 }, items: [] },
    }, { status: 422, json: { error: "no items", code: "EMPTY" } }),
    answered({
      method: "POST",
      url: "https://api.shop.test/graphql",
      json: { query: "query Cart {\n  cart {\n    items { sku qty }\n    total\n  }\n}", variables: {} },
    }, { json: { data: {} } }),
    httpFlow({ url: "https://cdn.test/app.js", error: "UPSTREAM_REFUSED" }),
  ]);
}

/** A chat over a WebSocket. */
export function chat(...more: Omit<WebSocketMessageInit, "time">[]): HttpFlow {
  const flow = answered("wss://chat.test/socket", { status: 200 });
  flow.websocket = new WebSocketConversation();
  const said: Omit<WebSocketMessageInit, "time">[] = [
    { from: "client", type: "text", data: `{"type":"hello","token":"${SECRETS[1]}"}` },
    { from: "server", type: "text", data: '{"type":"welcome"}' },
    { from: "client", type: "text", data: '{"type":"ping","n":1}' },
    { from: "server", type: "text", data: '{"type":"pong","n":1}' },
    { from: "client", type: "binary", data: new Uint8Array([1, 2, 3, 255]) },
    ...more,
  ];
  flow.websocket.messages.push(...said.map((one) => new WebSocketMessage({ ...one, time: 1 })));
  return flow;
}
