/**
 * SOCKS of a client: a tunnel like that of CONNECT.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { Peer } from "../../flow/peer.ts";
import { comeThrough } from "../trail.ts";
import type { WireContext } from "../wire_context.ts";
import { connectFlow } from "./connect_flow.ts";
import { acceptSocks, type SocksTunnel } from "./socks/mod.ts";
import { serveTunnel } from "./serve_tunnel.ts";

/** Reads what the client asks for, opens the tunnel, and serves what comes in it. A client that is refused has been told. */
export async function openSocks(socket: Duplex, peer: Peer, context: WireContext): Promise<void> {
  const { auth, timeouts } = context.config;
  let tunnel: SocksTunnel;
  try {
    tunnel = await acceptSocks(socket, { timeoutMs: timeouts.head, ...(auth && { auth }) });
  } catch (error) {
    if (!context.closing.aborted) {
      const why = error instanceof Error ? error.message : String(error);
      context.log("warn", `refused the SOCKS client ${peer.address}:${peer.port}: ${why}`);
    }
    return;
  }
  comeThrough(peer, tunnel.trail ?? []);
  if (auth !== undefined) peer.username = tunnel.username ?? auth.username;
  // As with CONNECT the server is connected to when it is known what for: a rule or the tape may answer.
  tunnel.granted();
  serveTunnel(socket, connectFlow(tunnel, peer), context);
}
