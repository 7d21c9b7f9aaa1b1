/**
 * What a flow says of the end of its conversation.
 *
 * @module
 */
import type { Side, WebSocketConversation } from "../../flow/websocket.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { CloseReason } from "./close.ts";

/** Somebody has closed. The first to do so is the one who has closed. */
export function noteClose(websocket: WebSocketConversation, { code, reason }: CloseReason, by: Side | "proxy"): void {
  if (websocket.closeCode !== undefined) return;
  websocket.closeCode = code;
  websocket.closeReason = reason;
  websocket.closedBy = by;
}

/** There will be no conversation after all. */
export function noteWithdrawn(exchange: Exchange, websocket: WebSocketConversation): void {
  exchange.onOver = undefined;
  websocket.control = undefined;
  delete exchange.flow.websocket;
}
