/**
 * A recorded exchange or conversation as a flow.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import { HttpFlow } from "../flow/http_flow.ts";
import { nextPeerId } from "../flow/peer.ts";
import { TcpFlow } from "../flow/tcp_flow.ts";
import { TcpMessage } from "../flow/tcp_message.ts";
import { WebSocketConversation, WebSocketMessage } from "../flow/websocket.ts";
import { addressOfTcp, type TapeEntry } from "./entry.ts";
import type { Said } from "./streams/said.ts";

/**
 * A flow that is over, whose source is the tape. It has no times but those of messages, and nobody knows any more who the client was.
 *
 * @throws {TapeError} a body or what was said cannot be read
 */
export async function flowOfEntry(entry: TapeEntry): Promise<Flow> {
  if (entry.kind === "tcp") return await tcpFlowOf(entry);
  const flow = new HttpFlow(await entry.request(), { id: nextPeerId(), host: "tape", port: 0 });
  flow.response = await entry.response();
  flow.informational.push(...entry.informational);
  if (entry.kind === "websocket") flow.websocket = conversationOf(entry, (await entry.said())!);
  return over(flow, entry);
}

async function tcpFlowOf(entry: TapeEntry): Promise<TcpFlow> {
  const flow = new TcpFlow(addressOfTcp(entry.url), { id: nextPeerId(), host: "tape", port: 0 });
  for (const { from, data, time = 0 } of (await entry.said())!) {
    const message = new TcpMessage(from, time, data);
    message.seal();
    flow.messages.push(message);
    flow.bytes[from] += data.length;
  }
  if (entry.tcpEnd !== "open") flow.endedBy = entry.tcpEnd;
  return over(flow, entry);
}

function conversationOf({ close }: TapeEntry, said: readonly Said[]): WebSocketConversation {
  const websocket = new WebSocketConversation();
  for (const { from, text, data, time = 0 } of said) {
    const message = new WebSocketMessage({ from, type: text ? "text" : "binary", data, time });
    message.seal();
    websocket.messages.push(message);
  }
  if (close !== undefined) {
    websocket.closeCode = close.code;
    websocket.closeReason = close.reason;
    websocket.closedBy = close.by;
  }
  return websocket;
}

function over<T extends Flow>(flow: T, { failure, comment }: TapeEntry): T {
  if (failure !== undefined) flow.error = { ...failure };
  if (comment !== undefined) flow.comment = comment;
  flow.source = "tape";
  flow.done = true;
  return flow;
}
