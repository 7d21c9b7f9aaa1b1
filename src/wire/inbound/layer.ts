/**
 * Finds out what a client speaks, and lets it be spoken to.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { FlowtapeError } from "../../flow/error.ts";
import type { Peer } from "../../flow/peer.ts";
import type { WireContext } from "../wire_context.ts";
import { Http1Connection } from "./http1_connection.ts";
import { peek } from "./peek.ts";
import type { Route } from "./route.ts";
import { openTls } from "./tls_layer.ts";

/** The first byte of a TLS handshake record (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16;

/**
 * Serves what comes next on a socket: TLS is opened with a certificate of the proxy's authority, HTTP is read.
 *
 * @returns `false` when the client hung up without a word
 * @throws {FlowtapeError} the client gave up, does not accept the certificate, or speaks something else
 */
export async function openLayer(socket: Duplex, peer: Peer, route: Route, context: WireContext): Promise<boolean> {
  const first = await peek(socket);
  if (first === undefined) return false;
  if (first === TLS_HANDSHAKE && route.scheme === "http") {
    await openTls(socket, peer, route.tunnel, context);
  } else if (isMethodStart(first)) {
    new Http1Connection(socket, peer, route, context);
  } else {
    throw new FlowtapeError(
      "UNKNOWN_PROTOCOL",
      `the client speaks neither TLS nor HTTP (its first byte is 0x${first.toString(16).padStart(2, "0")})`,
    );
  }
  return true;
}

// Methods are tokens (RFC 9110 section 9.1), and empty lines may come first (RFC 9112 section 2.2).
function isMethodStart(byte: number): boolean {
  return byte === 0x0d || byte === 0x0a || (byte > 0x20 && byte < 0x7f);
}
