/**
 * How long flows are, and how long they took.
 *
 * @module
 */
import type { Flow } from "../flow.ts";

/**
 * How many bytes the server has sent as content: the body of the response with its content coding, the messages of a WebSocket, what a
 * raw conversation has got. `undefined` when there is no response.
 */
export function lengthOf(flow: Flow): number | undefined {
  if (flow.type === "tcp") return flow.bytes.server;
  if (flow.websocket === undefined) return flow.response?.content.size;
  return flow.websocket.messages.reduce((sum, { from, size }) => from === "server" ? sum + size : sum, 0);
}

/** Milliseconds from the head of the request to the end of the flow; `undefined` while it is under way. */
export function timeOf(flow: Flow): number | undefined {
  return flow.timings.end;
}

/** The status of the response; 0 when there is none, as in a HAR. */
export function statusOf(flow: Flow): number {
  return flow.type === "http" ? flow.response?.status ?? 0 : 0;
}

/** What was put into the request to see what the server makes of it: `flow.edit(..., { payload })`. */
export function payloadOf(flow: Flow): string | undefined {
  const { payload } = flow.metadata;
  return payload === undefined ? undefined : String(payload);
}
