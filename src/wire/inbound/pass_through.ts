/**
 * TLS that the proxy does not open.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Peer } from "../../flow/peer.ts";
import type { WireContext } from "../wire_context.ts";
import { connectFlow, type TunnelTarget } from "./connect_flow.ts";
import { peekClientHello } from "./peek_client_hello.ts";

/**
 * Whether `https.passthrough` lets TLS in a tunnel through: asked for the target of the tunnel, and for the name in the hello
 * where that is another. What comes need not be a hello that can be read.
 */
export async function passesThrough(
  socket: Duplex,
  peer: Peer,
  tunnel: TunnelTarget,
  { config }: WireContext,
): Promise<{ passes: boolean; serverName?: string }> {
  const matches = (target: TunnelTarget) => config.passthrough?.(connectFlow(target, peer)) ?? false;
  const byTarget = matches(tunnel);
  try {
    const { serverName } = await peekClientHello(socket, { timeoutMs: config.timeouts.head });
    if (serverName === undefined) return { passes: byTarget };
    const passes = byTarget || (serverName !== tunnel.hostname && matches({ ...tunnel, hostname: serverName }));
    return { passes, serverName };
  } catch {
    // Whoever opens it will find the same, and say so. What cannot be put back cannot be passed on.
    return { passes: byTarget && !socket.destroyed && !socket.readableEnded };
  }
}
