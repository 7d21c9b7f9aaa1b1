/**
 * A request for a tunnel, where there is none to be had from the client: SOCKS, or a matcher that is asked about a server.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { Peer } from "../../flow/peer.ts";
import { FlowRequest } from "../../flow/request.ts";

/** Where a tunnel leads. */
export interface TunnelTarget {
  /** As in a URL. */
  readonly hostname: string;
  readonly port: number;
}

/** `CONNECT https://hostname:port/`. */
export function connectFlow({ hostname, port }: TunnelTarget, peer: Peer): HttpFlow {
  const address = { scheme: "https", hostname, port, target: "/" } as const;
  return new HttpFlow(new FlowRequest("CONNECT", address, "1.1", FlowHeaders.fromFields(""), BodyBuffer.NONE), peer);
}
