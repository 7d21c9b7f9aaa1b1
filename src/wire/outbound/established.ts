/**
 * The moment between the handshake with a server and the first word to it.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { Peer } from "../../flow/peer.ts";
import type { Dispatcher } from "../../hooks/dispatcher.ts";
import { DialError, errorOf } from "./dial.ts";
import { connectionFailure } from "./failure.ts";

/**
 * Tells the addons of a server that TLS is established, and waits for them.
 *
 * @param signal ends the waiting: nobody else holds the connection yet
 * @throws {HookError} a `tlsEstablished` hook threw
 * @throws {DialError} the server has closed the connection meanwhile, such as one that does not accept who the client is: with
 * TLS 1.3 it learns of that after the handshake (RFC 8446 section 4.6.2)
 */
export async function tellEstablished(
  socket: Socket,
  peer: Peer,
  hooks: Dispatcher,
  signal: AbortSignal,
): Promise<void> {
  const closed = Promise.withResolvers<never>();
  const abort = () => closed.reject(new DialError({ code: "PROXY_CLOSED", message: "the proxy was closed" }));
  signal.addEventListener("abort", abort, { once: true });
  try {
    const waiting = hooks.run("tlsEstablished", "server", peer);
    if (waiting !== undefined) await Promise.race([waiting, closed.promise]);
    if (errorOf(socket) !== undefined || socket.destroyed) throw lost(peer, errorOf(socket));
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function lost({ host, port }: Peer, error: Error | undefined): DialError {
  const to = `${host}:${port}`;
  if (error !== undefined) return new DialError(connectionFailure(error, to), error, "tls");
  return new DialError({ code: "UPSTREAM_CLOSED", message: `${to} closed the connection after the handshake` });
}
