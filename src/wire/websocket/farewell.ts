/**
 * How a conversation ends when it is not its two sides that end it.
 *
 * @module
 */
import { answerFor, type FlowError } from "../../flow/flow_error.ts";
import type { Side } from "../../flow/websocket.ts";
import { ABNORMAL, type CloseReason } from "./close.ts";

const GOING_AWAY = 1001;
const INTERNAL_ERROR = 1011;

/** Nothing is said: both connections are cut. */
export const CUT: CloseReason = { code: ABNORMAL, reason: "" };

/** What both sides are told when the flow has failed. */
export function farewell(error: FlowError): CloseReason {
  if (error.code === "PROXY_CLOSED") return { code: GOING_AWAY, reason: "the proxy was closed" };
  return answerFor(error) === "reset" ? CUT : { code: INTERNAL_ERROR, reason: error.message };
}

/** The failure of a flow of which one connection has ended without a close frame. */
export function abortedBy(side: Side | "proxy"): FlowError {
  return {
    code: side === "client" ? "CLIENT_ABORTED" : "UPSTREAM_ABORTED",
    message: `the ${side} ended the connection of a WebSocket without a close frame`,
  };
}
