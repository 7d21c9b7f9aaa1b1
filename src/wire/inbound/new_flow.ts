/**
 * The flow of a request of HTTP/1.1.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import { FlowRequest, type RequestAddress } from "../../flow/request.ts";
import type { RequestHead } from "../http1/head.ts";
import { asksForWebSocket, webSocketScheme } from "../websocket/handshake.ts";
import { withoutAuth } from "./proxy_auth.ts";

/**
 * Makes the flow, whose body is still to come.
 *
 * @param sent where the request goes
 */
export function newFlow(head: RequestHead, sent: RequestAddress, peer: Peer): { flow: HttpFlow; webSocket: boolean } {
  const content = head.framing.kind === "none" ? BodyBuffer.NONE : new BodyBuffer();
  const headers = FlowHeaders.fromFields(head.hops.length === 0 ? head.fields : withoutAuth(head.fields));
  const webSocket = content === BodyBuffer.NONE && asksForWebSocket(head.method, head.upgrade);
  const address = webSocket ? { ...sent, scheme: webSocketScheme(sent.scheme) } : sent;
  const flow = new HttpFlow(new FlowRequest(head.method, address, head.version, headers, content), peer);
  flow.direct = peer.tunnel === undefined && /^[/*]/.test(head.target);
  return { flow, webSocket };
}
