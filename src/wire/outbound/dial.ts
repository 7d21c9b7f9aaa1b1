/**
 * Connects to a server.
 *
 * @module
 */
import net from "node:net";
import tls from "node:tls";
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import type { Peer } from "../../flow/peer.ts";
import { connectionFailure } from "./failure.ts";
import { Watch } from "../watch.ts";

/** What to connect to, and how. */
export interface DialOptions {
  /** The name that was asked for, whatever it leads to. */
  readonly hostname: string;
  /** Milliseconds for TCP and TLS together. */
  readonly timeout: number;
  /** TLS on top of TCP; none for plain connections. */
  readonly tls?: {
    /** The name that the certificate must have and that is sent (SNI). */
    readonly serverName: string;
    /** Whether the certificate must be trusted. */
    readonly verify: boolean;
    /** What is trusted. */
    readonly context: tls.SecureContext;
  };
  /** Given up when it aborts. */
  readonly signal: AbortSignal;
}

/** Times of a new connection, `performance.now()` milliseconds. */
export interface DialTimes {
  /** TCP was established. */
  connected: number;
  /** TLS was established; `connected` on plain connections. */
  secured: number;
}

/** Why a server cannot be connected to. */
export class DialError extends FlowtapeError {
  override readonly name: string = "DialError";
  /** The same, for the flow. */
  readonly failure: FlowError;

  /** @param failure why */
  constructor(failure: FlowError, cause?: unknown) {
    super(failure.code, failure.message, { cause });
    this.failure = failure;
  }
}

/**
 * Connects to `peer.host` and `peer.port`, and fills in what is then known of the peer.
 *
 * @throws {DialError} refused, unresolved, unreachable, not trusted, or not in time
 */
export function dial(peer: Peer, options: DialOptions): Promise<{ socket: net.Socket; times: DialTimes }> {
  const to = nameOf(peer, options.hostname);
  return new Promise((resolve, reject) => {
    const times: DialTimes = { connected: 0, secured: 0 };
    const secure = options.tls;
    const address = { host: peer.host, port: peer.port };
    const socket: net.Socket = secure === undefined ? net.connect(address) : tls.connect({
      ...address,
      secureContext: secure.context,
      rejectUnauthorized: secure.verify,
      ALPNProtocols: ["http/1.1"],
      ...(net.isIP(secure.serverName) ? {} : { servername: secure.serverName }),
    });
    socket.setNoDelay(true);
    const watch = new Watch(() =>
      fail({
        code: "UPSTREAM_CONNECT_TIMEOUT",
        message: `cannot reach ${to}: it did not accept the connection within ${options.timeout} ms (timeouts.connect)`,
      })
    );
    const onError = (error: unknown) => fail(connectionFailure(error, to), error);
    const onClose = () => fail({ code: "UPSTREAM_CLOSED", message: `${to} closed the connection at once` });
    const onAbort = () => fail({ code: "PROXY_CLOSED", message: "the proxy was closed" });
    const settle = () => {
      watch.close();
      options.signal.removeEventListener("abort", onAbort);
      socket.off("close", onClose);
    };
    const fail = (failure: FlowError, cause?: unknown) => {
      settle();
      // The error listener stays: a socket may report more than one error, and an unheard one ends the process.
      socket.destroy();
      reject(new DialError(failure, cause));
    };
    watch.set(options.timeout);
    options.signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.once("connect", () => {
      times.connected = performance.now();
      describePeer(peer, socket);
    });
    socket.once(secure === undefined ? "connect" : "secureConnect", () => {
      times.secured = performance.now();
      if (socket instanceof tls.TLSSocket) peer.tls = describeTls(socket, secure?.serverName);
      settle();
      socket.off("error", onError);
      // Until its user listens, an error has nobody to hear it.
      socket.on("error", () => {});
      resolve({ socket, times });
    });
    if (options.signal.aborted) onAbort();
  });
}

/** The server in messages; where an override or a hook leads elsewhere, the name that was asked for comes first. */
function nameOf({ host, port }: Peer, hostname: string): string {
  return hostname === host ? `${host}:${port}` : `${hostname} (at ${host}:${port})`;
}

function describePeer(peer: Peer, socket: net.Socket): void {
  peer.connectedAt = Date.now();
  if (socket.remoteAddress !== undefined) peer.address = socket.remoteAddress;
  if (socket.localAddress !== undefined) peer.localAddress = socket.localAddress;
  if (socket.localPort !== undefined) peer.localPort = socket.localPort;
}

/** What TLS agreed on. */
export function describeTls(socket: tls.TLSSocket, serverName: string | undefined): NonNullable<Peer["tls"]> {
  return {
    version: socket.getProtocol() ?? "",
    cipher: socket.getCipher()?.name ?? "",
    ...(serverName === undefined ? {} : { serverName }),
    ...(typeof socket.alpnProtocol === "string" ? { alpn: socket.alpnProtocol } : {}),
  };
}
