/**
 * Takes a client's TLS connection in the name of the server it meant.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { clearTimeout, setTimeout } from "node:timers";
import { type Server, TLSSocket } from "node:tls";
import { FlowtapeError } from "../../flow/error.ts";
import type { CertificateAuthority } from "./authority.ts";
import { clientClosed, handshakeError, handshakeTimeout } from "./handshake_error.ts";
import { createSecureServer, listenTo, type SecureServerOptions } from "./secure_server.ts";

/** How to take a connection. */
export interface AcceptTlsOptions extends Omit<SecureServerOptions, "keylog" | "depth"> {
  /** Longest time for the handshake, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Gives the handshake up, with its reason. */
  readonly signal?: AbortSignal;
  /** Gets each line of the NSS key log that lets Wireshark decrypt the connection. */
  readonly keylog?: (line: Buffer) => void;
}

/**
 * Does the server's side of a TLS handshake with a certificate for `name`.
 *
 * The handshake starts with what can be read from `raw`: bytes that were peeked must have been unshifted before. Both
 * sockets have an error listener from then on, so that an error which nobody else handles ends the connection only.
 * A client that checks certificates after the handshake (Node's own) may still hang up without a word afterwards.
 *
 * @param raw the client's connection; destroyed when the handshake fails
 * @param name the name to present a certificate for
 * @returns the decrypted connection
 * @throws {FlowtapeError} `TLS_CLIENT_REJECTED` when the client refuses the certificate, `TLS_CLIENT_CLOSED` when it hangs
 * up, `TLS_HANDSHAKE_TIMEOUT`, `TLS_HANDSHAKE` for everything else it may do wrong, `CA_BAD_NAME` and `CA_EXPIRED` when
 * there can be no certificate
 */
export function acceptTls(
  ca: CertificateAuthority,
  raw: Duplex,
  name: string,
  options: AcceptTlsOptions = {},
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { timeoutMs = 30_000, signal, keylog } = options;
    const wasHalfOpen = raw.allowHalfOpen;
    const settle = (): void => {
      clearTimeout(timer);
      raw.off("close", closed);
      signal?.removeEventListener("abort", aborted);
      raw.allowHalfOpen = wasHalfOpen;
    };
    const fail = (error: unknown): void => {
      settle();
      raw.destroy();
      reject(error);
    };
    // A server reports the reason of a failure before, with or after the socket's "close": the reason comes first here.
    const closed = (): void => void setTimeout(() => fail(clientClosed(name)), 0);
    const aborted = (): void => fail(signal?.reason);
    const timer = setTimeout(() => fail(handshakeTimeout(name, timeoutMs)), timeoutMs);
    raw.on("error", ignore);
    if (signal?.aborted) return fail(signal.reason);
    if (raw.destroyed) return fail(clientClosed(name));
    raw.on("close", closed);
    signal?.addEventListener("abort", aborted);
    listenTo(raw, {
      secure(socket) {
        settle();
        below.set(socket, raw);
        socket.on("error", ignore);
        socket.allowHalfOpen = wasHalfOpen;
        resolve(socket);
      },
      failed: (error) => fail(handshakeError(name, error)),
      ...(keylog === undefined ? {} : { keylog }),
    });
    try {
      const server = serverFor(ca, raw, name, { ...options, keylog: keylog !== undefined });
      // Node and Deno would wait for ever for a client that ends its side in the middle of a handshake.
      raw.allowHalfOpen = false;
      server.emit("connection", raw);
    } catch (cause) {
      fail(cause instanceof FlowtapeError ? cause : handshakeError(name, cause as Error));
    }
  });
}

const below = new WeakMap<Duplex, Duplex>();

/** What a connection that was taken stands on. */
export function connectionBelow(secure: Duplex): Duplex | undefined {
  return below.get(secure);
}

function serverFor(ca: CertificateAuthority, raw: Duplex, name: string, options: SecureServerOptions): Server {
  // A TLSSocket knows the socket it stands on, but not any other stream (an HTTP/2 one, say): that gets its own server.
  if (raw instanceof Socket) return ca.secureServer(name, { ...options, depth: depthOf(raw) });
  return createSecureServer(ca.leaf(name), options, raw);
}

function depthOf(raw: Duplex): number {
  let depth = 0;
  for (let at: Duplex | undefined = raw; at instanceof TLSSocket; depth++) at = (at as { _parent?: Duplex })._parent;
  return depth;
}

function ignore(): void {}
