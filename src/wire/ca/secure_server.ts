/**
 * TLS servers that never listen: they are given connections one by one, and tell each connection's owner how its
 * handshake ended.
 *
 * One server per name, because Bun ignores SNICallback and a TLSSocket made by hand is unreliable on Deno; a server's
 * "connection" event works the same on every runtime.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { createServer, type SecureVersion, type Server, type TLSSocket } from "node:tls";

/** How a server answers; servers with the same options are shared. */
export interface SecureServerOptions {
  /** Application protocols in order of preference. Default `["http/1.1"]`; an empty list leaves ALPN out. */
  readonly alpn?: readonly string[];
  /** The oldest accepted version. Default: the runtime's, TLS 1.2. */
  readonly minVersion?: SecureVersion;
  /** Asks the client for a certificate, and takes any or none. Default false. */
  readonly requestCert?: boolean;
  /** Emits the secrets of handshakes. Default false. */
  readonly keylog?: boolean;
  /** How many times TLS is spoken in TLS: on Bun a server that is given a connection over one of its own never answers. Default 0. */
  readonly depth?: number;
}

/** Hears how one connection's handshake goes. */
export interface HandshakeListener {
  secure(socket: TLSSocket): void;
  failed(error: Error): void;
  keylog?(line: Buffer): void;
}

const listeners = new WeakMap<Duplex, HandshakeListener>();

/** Names the listener of a connection, which must be given to the server right after. */
export function listenTo(raw: Duplex, listener: HandshakeListener): void {
  listeners.set(raw, listener);
}

/** What tells two servers apart in a cache. */
export function serverKey(name: string, options: SecureServerOptions): string {
  const { alpn = ["http/1.1"], minVersion = "", requestCert = false, keylog = false, depth = 0 } = options;
  return JSON.stringify([name, alpn, minVersion, requestCert, keylog, depth]);
}

/**
 * Makes a server.
 *
 * @param raw the only connection that it will ever get; by default a connection's owner is found by its socket
 */
export function createSecureServer(
  leaf: { readonly key: string; readonly cert: string },
  options: SecureServerOptions,
  raw?: Duplex,
): Server {
  const { alpn = ["http/1.1"], minVersion, requestCert = false, keylog = false } = options;
  const server = createServer({
    key: leaf.key,
    cert: leaf.cert,
    ca: [], // clients are not verified here, so spare Node the reading of its root certificates
    requestCert,
    // A hybrid with ML-KEM costs more than the rest of the handshake, and there is nothing to keep secret for decades here.
    ecdhCurve: "X25519:P-256:P-384",
    rejectUnauthorized: false, // only concerns client certificates: whether one is good is for the proxy to say
    ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
    ...(minVersion === undefined ? {} : { minVersion }),
  });
  const listenerOf = (socket: TLSSocket | undefined): HandshakeListener | undefined => {
    // What a TLSSocket was put on is not documented, but the same on Node, Deno and Bun.
    const owner = raw ?? (socket as { _parent?: Duplex } | undefined)?._parent;
    return owner === undefined ? undefined : listeners.get(owner);
  };
  server.on("secureConnection", (socket) => {
    const listener = listenerOf(socket);
    if (listener === undefined) socket.destroy();
    else listener.secure(socket);
  });
  server.on("tlsClientError", (error, socket) => listenerOf(socket)?.failed(error));
  if (keylog) server.on("keylog", (line, socket) => listenerOf(socket)?.keylog?.(line));
  return server;
}
