/**
 * MSW's handlers as rules.
 *
 * @module
 */
import type { Rule } from "../rule.ts";
import { isWebSocketHandler, type MswHandlerLike, siblingsOf } from "./handler.ts";
import { mswHttpRule } from "./http_rule.ts";
import { mswWebSocketRule } from "./websocket_rule.ts";

export { isMswHandler, type MswHandlerLike } from "./handler.ts";
export type { MswRequestHandlerLike, MswRunOptions, MswWebSocketHandlerLike } from "./handler.ts";

/** The rules that a handler is: one, and those of the handlers that come with it. */
export function mswRules(handler: MswHandlerLike, place: string): Rule[] {
  const own = isWebSocketHandler(handler) ? mswWebSocketRule(handler, place) : mswHttpRule(handler, place);
  return [own, ...siblingsOf(handler).map((sibling) => mswWebSocketRule(sibling, place))];
}
