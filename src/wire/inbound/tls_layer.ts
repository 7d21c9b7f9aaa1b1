/**
 * TLS of a client: taken in the name of the server that the client means.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { bareHost } from "../../flow/authority.ts";
import type { Peer } from "../../flow/peer.ts";
import { acceptTls, leftAfterHandshake } from "../ca/mod.ts";
import { describeTls } from "../outbound/dial.ts";
import type { WireContext } from "../wire_context.ts";
import { openLayer } from "./layer.ts";
import { peekClientHello } from "./peek_client_hello.ts";

/**
 * Some clients look at the certificate when the handshake is over, and hang up. One that stays longer has only opened a
 * connection that it did not need in the end, as browsers do.
 */
const DISTRUST_MS = 1000;

/** What is spoken behind TLS. A client that offers HTTP/1.0 alone (curl does) would take no answer for a refusal. */
const ALPN = ["http/1.1", "http/1.0"];

/**
 * Opens TLS with a certificate of the proxy's authority, and serves what comes behind it.
 *
 * @throws {FlowtapeError} the client gave up, does not accept the certificate, or speaks something else
 */
export async function openTls(
  socket: Duplex,
  peer: Peer,
  tunnel: { hostname: string; port: number },
  context: WireContext,
): Promise<void> {
  const timeoutMs = context.config.timeouts.head;
  const hello = await peekClientHello(socket, { timeoutMs });
  const name = hello.serverName ?? bareHost(tunnel.hostname);
  const secure = await acceptTls(context.ca, socket, name, { timeoutMs, alpn: ALPN, signal: context.closing });
  peer.tls = describeTls(secure, hello.serverName);
  const opened = performance.now();
  const served = await openLayer(secure, peer, { scheme: "https", tunnel }, context);
  if (!served && performance.now() - opened < DISTRUST_MS) throw leftAfterHandshake(name);
}
