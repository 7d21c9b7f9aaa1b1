/**
 * Flows made by hand, for reports.
 *
 * @module
 */
import { type HeadersLike, HttpFlow } from "../../src/mod.ts";
import { FlowRequest } from "../../src/flow/request.ts";
import { FlowResponse, type ResponseInit } from "../../src/flow/response.ts";
import { WebSocketConversation, WebSocketMessage, type WebSocketMessageInit } from "../../src/flow/websocket.ts";

/** What a flow is made from. */
export interface FlowInit {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: HeadersLike;
  readonly body?: string | Uint8Array;
  readonly response?: ResponseInit;
  readonly start?: number;
  readonly took?: number;
}

/** A flow that is over. */
export function flow(init: FlowInit = {}): HttpFlow {
  const {
    method = "GET",
    url = "http://shop.test/",
    headers,
    body,
    response = {},
    start = 1_700_000_000_000,
    took = 20,
  } = init;
  const request = FlowRequest.create({ method, url, ...(headers && { headers }), ...(body !== undefined && { body }) });
  const flow = new HttpFlow(request, { id: 1, host: "127.0.0.1", port: 50_000 }, start);
  flow.response = FlowResponse.create(response);
  Object.assign(flow.timings, { requestEnd: took / 10, responseStart: took / 2, end: took });
  flow.done = true;
  return flow;
}

/** A flow that became a WebSocket. */
export function socket(url: string, messages: readonly WebSocketMessageInit[]): HttpFlow {
  const made = flow({ url, response: { status: 200 }, took: 2000 });
  made.response!.status = 101;
  made.websocket = new WebSocketConversation();
  made.websocket.messages.push(...messages.map((message) => new WebSocketMessage(message)));
  Object.assign(made.websocket, { closeCode: 1000, closeReason: "done", closedBy: "client" });
  return made;
}

/** A little traffic: a page, an order, something that is missing, something slow. */
export const shop = (): HttpFlow[] => [
  flow({ url: "https://shop.test/" }),
  flow({
    method: "POST",
    url: "https://api.shop.test/orders?draft=1",
    headers: { "content-type": "application/json", cookie: "a=b" },
    body: '{"sku":"A-1","qty":3,"big":12345678901234567890}',
    response: { status: 201, json: { id: 17, lines: [{ sku: "A-1" }] } },
  }),
  flow({ url: "https://shop.test/missing", response: { status: 404 } }),
  flow({ url: "https://shop.test/products", start: 1_700_000_000_500, took: 900 }),
];
