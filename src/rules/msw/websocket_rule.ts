/**
 * MSW's handlers of WebSockets as rules.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { Work } from "../action.ts";
import { type Rule, ruleError } from "../rule.ts";
import { type MswWebSocketHandlerLike, restore } from "./handler.ts";
import { mswKey } from "./path.ts";
import { MswConnection } from "./websocket_connection.ts";

/** The rule that a handler of WebSockets is. All such handlers below it that match join in, as in MSW. */
export function mswWebSocketRule(handler: MswWebSocketHandlerLike, place: string): Rule {
  const { url } = handler as { url?: unknown };
  const rule: Pick<Rule, "place" | "description"> = { place, description: `ws ${url ?? "an MSW handler"}` };
  return {
    ...rule,
    key: mswKey(undefined, typeof url === "string" ? url.replace(/^ws/i, "http") : url),
    webSocket: handler,
    attempt(flow, rules = []) {
      if (!/^wss?$/.test(flow.request.scheme)) return undefined;
      return attempt(handler, flow, rules, rule);
    },
    restore: () => restore(handler),
  };
}

async function attempt(
  handler: MswWebSocketHandlerLike,
  flow: HttpFlow,
  rules: readonly Rule[],
  rule: Pick<Rule, "place" | "description">,
): Promise<Work | undefined> {
  const connection = new MswConnection(flow, (cause) => ruleError(rule, cause));
  const { scheme } = flow.request;
  const { host } = new URL(flow.request.url);
  const context = { baseUrl: `${scheme === "wss" ? "https" : "http"}://${host}`, quiet: true };
  if (!await handler.run(connection.data, context)) return undefined;
  const all = [...new Set(rules.flatMap((it) => it.webSocket ?? []))];
  for (const other of all.slice(all.indexOf(handler) + 1)) {
    await other.run(connection.data, context);
  }
  return {
    needsBody: false,
    run(flow) {
      const [protocol] = connection.protocols;
      const headers = protocol === undefined ? {} : { "Sec-WebSocket-Protocol": protocol };
      flow.response = FlowResponse.switchToWebSocket(connection, headers);
    },
  };
}
