/**
 * Relays what is spoken in a tunnel as it is.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Peer } from "../../flow/peer.ts";
import { TcpFlow } from "../../flow/tcp_flow.ts";
import { connectFlow, type TunnelTarget } from "../inbound/connect_flow.ts";
import type { FirstBytes } from "../inbound/look.ts";
import type { WireContext } from "../wire_context.ts";
import { Conversation } from "./conversation.ts";
import type { ServerGreeting } from "./server_greeting.ts";

/** What is relayed. */
export interface Relay {
  /** The client's connection. */
  readonly socket: Duplex;
  readonly peer: Peer;
  /** Where the tunnel leads. */
  readonly tunnel: TunnelTarget;
  /** The proxy has opened the client's TLS: TLS is spoken with the server too. */
  readonly secure: boolean;
  readonly context: WireContext;
  /** What the client has said already. */
  readonly seen: FirstBytes;
  /** The server, if it is connected to already. */
  readonly server: ServerGreeting | undefined;
  /** The name in a hello that passes unopened. */
  readonly serverName: string | undefined;
}

/** Opens a conversation; what becomes of it is told by its flow. */
export function openRelay({ socket, peer, tunnel, secure, context, seen, server, serverName }: Relay): void {
  const flow = server?.flow ?? new TcpFlow(tunnel, peer);
  if (serverName !== undefined) flow.serverName = serverName;
  const { upstream } = context.now;
  const connect = () => upstream.tcp(flow, secure ? connectFlow(tunnel, peer) : undefined);
  new Conversation(flow, socket, context.now).begin(
    () => server?.take() ?? connect(),
    seen.putBack ? undefined : seen.bytes,
    () => server?.leave(),
  );
}
