/**
 * What servers other than the proxy tell a handler.
 *
 * @module
 */
import { nextPeerId, type Peer } from "../flow/peer.ts";
import { addressOf } from "./forwarding/peer_address.ts";
import type { HandlerInfo } from "./handler.ts";
import { remoteAddress } from "./request.ts";

/** What a server has told of a request: in `Deno.serve` members are getters of a class, which a spread does not see. */
export function membersOf<T extends Partial<HandlerInfo>>(info: T): T {
  const { remoteAddr, completed } = info;
  return { ...info, ...(remoteAddr && { remoteAddr }), ...(completed && { completed }) };
}

/** The same, complete; of a server that says nothing of its clients, the client is `unknown`. */
export function infoOfServer(request: Request, info: Partial<HandlerInfo>): HandlerInfo {
  const members = membersOf(info);
  const { remoteAddr } = members;
  const host = remoteAddr?.hostname ?? addressOf(request, info) ?? "unknown";
  const client: Peer = { id: nextPeerId(), host, port: remoteAddr?.port ?? 0 };
  return { client, remoteAddr: remoteAddress(client), completed: Promise.resolve(), ...members };
}
