/**
 * TLS of a client: taken in the name of the server that the client means, or of the proxy itself.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { bareHost } from "../../flow/authority.ts";
import type { ClientHello, ClientHelloFields } from "../../flow/client_hello.ts";
import { FlowtapeError } from "../../flow/error.ts";
import type { Peer } from "../../flow/peer.ts";
import { acceptTls, leftAfterHandshake } from "../ca/mod.ts";
import { describeTls } from "../tls_info.ts";
import type { WireContext } from "../wire_context.ts";
import { ja3, ja4 } from "./fingerprint.ts";
import { openLayer } from "./layer.ts";
import { peekClientHello } from "./peek_client_hello.ts";

/**
 * Some clients look at the certificate when the handshake is over, and hang up. One that stays longer has only opened a
 * connection that it did not need in the end, as browsers do.
 */
const DISTRUST_MS = 1000;

/**
 * What is spoken behind TLS, whatever the server speaks: it is not known yet, and may never be. The same with the proxy itself, which
 * opens tunnels in HTTP/1.1 and in streams of HTTP/2. A client that offers HTTP/1.0 alone
 * (curl does) would take no answer for a refusal.
 */
const ALPN = ["h2", "http/1.1", "http/1.0"];

/**
 * Opens TLS with a certificate of the proxy's authority, and serves what comes behind it.
 *
 * @param tunnel where the client means to be; none when it speaks TLS with the proxy itself
 * @throws {FlowtapeError} the client gave up, does not accept the certificate, or speaks something else
 * @throws {HookError} a `tlsClientHello` or `tlsEstablished` hook threw
 */
export async function openTls(
  socket: Duplex,
  peer: Peer,
  tunnel: { hostname: string; port: number } | undefined,
  context: WireContext,
): Promise<void> {
  const { secure, name } = await handshake(socket, peer, tunnel, context);
  try {
    await context.hooks.run("tlsEstablished", "client", peer);
  } catch (error) {
    secure.destroy();
    throw error;
  }
  const opened = performance.now();
  const served = await openLayer(secure, peer, { scheme: "https", ...(tunnel && { tunnel }) }, context);
  if (!served && performance.now() - opened < DISTRUST_MS) throw failed(leftAfterHandshake(name), peer, context);
}

async function handshake(
  socket: Duplex,
  peer: Peer,
  tunnel: { hostname: string } | undefined,
  context: WireContext,
): Promise<{ secure: TLSSocket; name: string }> {
  const { timeouts, tls, persistent } = context.config;
  const timeoutMs = timeouts.head;
  try {
    const hello = greeting(await peekClientHello(socket, { timeoutMs }), peer);
    await context.hooks.run("tlsClientHello", hello);
    const name = hello.serverName ?? (tunnel === undefined ? ownName(peer) : bareHost(tunnel.hostname));
    const secure = await acceptTls(context.ca, socket, name, {
      ...tls,
      timeoutMs,
      // Streams of one connection are requests of one connection.
      alpn: persistent === false ? ALPN.slice(1) : ALPN,
      signal: context.closing,
      ...(context.keyLog && { keylog: context.keyLog }),
    });
    peer[tunnel === undefined ? "proxyTls" : "tls"] = describeTls(secure, { serverName: hello.serverName, hello });
    return { secure, name };
  } catch (error) {
    throw failed(error, peer, context);
  }
}

function greeting(fields: ClientHelloFields, client: Peer): ClientHello {
  let md5: string | undefined;
  let sha256: string | undefined;
  return {
    ...fields,
    client,
    get ja3() {
      return md5 ??= ja3(fields);
    },
    get ja4() {
      return sha256 ??= ja4(fields);
    },
  };
}

/** A client that does not name the proxy has its address. */
function ownName({ localAddress = "127.0.0.1" }: Peer): string {
  return localAddress.replace(/^::ffff:(?=\d+\.)/i, "");
}

/** Tells the addons that there is no TLS, and gives the error back. */
function failed(error: unknown, peer: Peer, { hooks, closing }: WireContext): unknown {
  // What the proxy has cut itself is no failure of the client's.
  if (closing.aborted) return error;
  const message = error instanceof Error ? error.message : String(error);
  peer.error = { code: error instanceof FlowtapeError ? error.code : "TLS_HANDSHAKE", message };
  try {
    hooks.run("tlsFailed", "client", peer)?.catch(() => {});
  } catch {
    // The dispatcher has reported it.
  }
  return error;
}
