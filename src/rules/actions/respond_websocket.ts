/**
 * The action `respondWebSocket()`.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { FlowHeaders, type HeadersLike } from "../../flow/headers.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { WebSocketClientLine, WebSocketListener } from "../../flow/websocket_answer.ts";
import { type ActionFunction, constantPlan, defineAction } from "../action.ts";
import { checkObject } from "../check.ts";

/** Speaks for the server of a WebSocket; returns who listens to the client. */
export type WebSocketResponder = (
  client: WebSocketClientLine,
  flow: HttpFlow,
) => WebSocketListener | void | Promise<WebSocketListener | void>;

/** How {@linkcode respondWebSocket} answers the handshake. */
export interface RespondWebSocketOptions {
  /** The subprotocol that is chosen. By default the first one that the client offers. */
  protocol?: string;
  /** Further fields of the 101. */
  headers?: HeadersLike;
}

/**
 * Answers a request for a WebSocket without a server. The function speaks for the server: it sends with `client.send()`, closes with
 * `client.close()`, and what it returns is told what the client says. `client.connect()` connects to the real server.
 *
 * @example
 * ```ts
 * import { respondWebSocket, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   rules: [["wss://chat.test/*", respondWebSocket((client) => {
 *     client.send("welcome");
 *     return { message: (data) => client.send(`you said ${data}`) };
 *   })]],
 * });
 * ```
 *
 * @throws {OptionsError} for what is no function, and for options that are not known
 */
export function respondWebSocket(
  responder: WebSocketResponder,
  options: RespondWebSocketOptions = {},
): ActionFunction {
  const where = "respondWebSocket()";
  if (typeof responder !== "function") {
    throw new OptionsError(`${where} takes a function of the client, not ${describeValue(responder)}`);
  }
  checkObject(options, ["protocol", "headers"], where);
  const { protocol, headers = [] } = options;
  const fixed = FlowHeaders.from(headers);
  if (protocol !== undefined && !/^[!#$%&'*+\-.^_`|~\w]+$/.test(protocol)) {
    throw new OptionsError(
      `protocol of ${where} is ${describeValue(protocol)}: the name of a subprotocol is accepted, such as "graphql-ws"`,
    );
  }
  if (protocol !== undefined) fixed.set("Sec-WebSocket-Protocol", protocol);
  return defineAction(() =>
    constantPlan("respond to a WebSocket", {
      needsBody: false,
      run(flow) {
        const own = fixed.clone();
        const offered = flow.request.headers.get("sec-websocket-protocol")?.split(",")[0]?.trim();
        if (offered && !own.has("sec-websocket-protocol")) own.append("Sec-WebSocket-Protocol", offered);
        flow.response = FlowResponse.switchToWebSocket({
          open(client) {
            const listener = responder(client, flow);
            return listener instanceof Promise ? listener.then((it) => it ?? {}) : listener ?? {};
          },
        }, own);
      },
    })
  );
}
