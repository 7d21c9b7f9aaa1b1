/**
 * Lets a client ask for a tunnel with SOCKS.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { clearTimeout, setTimeout } from "node:timers";
import { runHandshake } from "../../outbound/proxy/run_handshake.ts";
import type { SocksRequest } from "./destination.ts";
import { SocksHandshake, type SocksHandshakeOptions } from "./handshake.ts";
import { SocksError, type SocksRefusal } from "./socks_error.ts";

/** How to accept. */
export interface AcceptSocksOptions extends SocksHandshakeOptions {
  /** How long the whole handshake may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** A tunnel that a client has asked for, and waits for. */
export interface SocksTunnel extends SocksRequest {
  /** What the client speaks: 4 or 5. */
  readonly version: number;
  /** Tells the client that the tunnel is open: what it sends from now on is for the destination. */
  granted(): void;
  /** Tells the client that there is no tunnel, and ends the connection. */
  refused(reason: SocksRefusal): void;
}

/** Whether a connection that begins with this byte is one of SOCKS: neither TLS nor HTTP begins so. */
export function isSocksStart(byte: number): boolean {
  return byte === 4 || byte === 5;
}

/**
 * Reads a SOCKS handshake up to the request, from a connection of which nothing has been read yet, or all was put back. What
 * the client sent behind it stays unread.
 *
 * @throws {SocksError} the client is refused and has been told so, hangs up, or takes too long; the socket has been ended
 */
export async function acceptSocks(socket: Duplex, options: AcceptSocksOptions): Promise<SocksTunnel> {
  const handshake = new SocksHandshake(options);
  const { timeoutMs } = options;
  let request: SocksRequest;
  try {
    request = await runHandshake(socket, handshake, {
      timeoutMs,
      ended: (cause) =>
        new SocksError(
          "SOCKS_CLIENT_CLOSED",
          "The client closed the connection in the middle of its SOCKS handshake. Look for the reason at the client.",
          undefined,
          cause && { cause },
        ),
      timedOut: () =>
        new SocksError("SOCKS_TIMEOUT", `The client did not finish its SOCKS handshake within ${timeoutMs} ms.`),
    });
  } catch (error) {
    if (error instanceof SocksError && error.reply.length > 0) endWith(socket, error.reply);
    else socket.destroy();
    throw error;
  }
  return {
    ...request,
    version: handshake.version,
    granted: () => void socket.write(handshake.granted()),
    refused: (reason) => endWith(socket, handshake.refused(reason)),
  };
}

/** What a client may still send after it was refused is read: closing over unread bytes resets, and takes the reply along. */
const LINGER_MS = 1000;

function endWith(socket: Duplex, reply: Uint8Array): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
  socket.resume();
  socket.end(reply);
}
