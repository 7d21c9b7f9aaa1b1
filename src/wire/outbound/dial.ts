/**
 * Connects to a server.
 *
 * @module
 */
import net, { type Socket } from "node:net";
import tls from "node:tls";
import { FlowtapeError } from "../../flow/error.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import type { Peer } from "../../flow/peer.ts";
import { connectionFailure } from "./failure.ts";
import { describeTls } from "../tls_info.ts";
import { depart, type Trail } from "../trail.ts";
import { Watch } from "../watch.ts";

/** How TLS is spoken with a server. */
export interface DialTls {
  /** The name that the certificate must have and that is sent (SNI). */
  readonly serverName: string;
  /** Whether the certificate must be trusted. */
  readonly verify: boolean;
  /** What is trusted, and what is shown. */
  readonly context: tls.SecureContext;
  /** Application protocols in order of preference. Default: `["http/1.1"]`. */
  readonly alpn?: readonly string[];
  /** Gets each line of the key log. */
  readonly keyLog?: (line: Uint8Array) => void;
}

/** What to connect to, and how. */
export interface DialOptions {
  /** The name that was asked for, whatever it leads to. */
  readonly hostname: string;
  /** Milliseconds for TCP and TLS together. */
  readonly timeout: number;
  /** TLS on top of TCP; none for plain connections. */
  readonly tls?: DialTls;
  /** A connection to the server that is there already, such as a tunnel through another proxy: only TLS is put on it. */
  readonly over?: Socket;
  /** Either side can be ended alone. Default: the connection ends as a whole when the server ends its side. */
  readonly halfOpen?: boolean;
  /** The proxies on the way so far, this one included. */
  readonly trail?: Trail | undefined;
  /** Given up when it aborts. */
  readonly signal: AbortSignal;
}

/** Times of a new connection, `performance.now()` milliseconds. */
export interface DialTimes {
  /** The name was resolved; missing for addresses. */
  resolved?: number;
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
  /** How far it came. */
  readonly stage: "connect" | "tls";

  /** @param failure why */
  constructor(failure: FlowError, cause?: unknown, stage: "connect" | "tls" = "connect") {
    super(failure.code, failure.message, { cause });
    this.failure = failure;
    this.stage = stage;
  }
}

/**
 * Connects to `peer.host` and `peer.port`, and fills in what is then known of the peer.
 *
 * @throws {DialError} refused, unresolved, unreachable, not trusted, or not in time
 */
export function dial(peer: Peer, options: DialOptions): Promise<{ socket: Socket; times: DialTimes }> {
  const to = nameOf(peer, options.hostname);
  const closed: FlowError = { code: "PROXY_CLOSED", message: "the proxy was closed" };
  // Not even the name is looked up then: a lookup that has begun cannot be taken back.
  if (options.signal.aborted) return Promise.reject(new DialError(closed));
  return new Promise((resolve, reject) => {
    const times: DialTimes = { connected: 0, secured: 0 };
    const secure = options.tls;
    const socket = open(peer, options);
    const watch = new Watch(() =>
      fail({
        code: "UPSTREAM_CONNECT_TIMEOUT",
        message: `cannot reach ${to}: it did not accept the connection within ${options.timeout} ms (timeouts.connect)`,
      })
    );
    const onError = (error: unknown) => fail(connectionFailure(error, to), error);
    const onClose = () => fail({ code: "UPSTREAM_CLOSED", message: `${to} closed the connection at once` });
    const onAbort = () => fail(closed);
    const settle = () => {
      watch.close();
      options.signal.removeEventListener("abort", onAbort);
      socket.off("close", onClose);
    };
    const fail = (failure: FlowError, cause?: unknown) => {
      settle();
      // The error listener stays: a socket may report more than one error, and an unheard one ends the process.
      socket.destroy();
      reject(new DialError(failure, cause, times.connected > 0 && secure !== undefined ? "tls" : "connect"));
    };
    const connected = () => {
      times.connected = performance.now();
      peer.connectedAt = Date.now();
      // Over another socket the other end is only the next one on the way.
      if (options.over !== undefined) return;
      describePeer(peer, socket);
      if (options.trail !== undefined) depart(socket, options.trail);
    };
    watch.set(options.timeout);
    options.signal.addEventListener("abort", onAbort, { once: true });
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.once("lookup", (error, _address, _family, host) => {
      // Bun looks addresses up too.
      if (error === null && net.isIP(host ?? peer.host) === 0) times.resolved = performance.now();
    });
    if (options.over === undefined) socket.once("connect", connected);
    else connected();
    if (secure?.keyLog !== undefined) socket.on("keylog", secure.keyLog);
    socket.once(secure === undefined ? "connect" : "secureConnect", () => {
      times.secured = performance.now();
      if (socket instanceof tls.TLSSocket) peer.tls = describeTls(socket, { serverName: secure?.serverName });
      settle();
      socket.off("error", onError);
      // Until its user listens, an error has nobody else to hear it.
      socket.on("error", (error) => errors.set(socket, error));
      resolve({ socket, times });
    });
  });
}

function open(peer: Peer, { tls: secure, over, halfOpen = false }: DialOptions): Socket {
  const address = { host: peer.host, port: peer.port, allowHalfOpen: halfOpen };
  const socket = secure === undefined ? net.connect(address) : tls.connect({
    // Over another socket the host is only what the certificate of an address is compared with.
    ...(over === undefined ? address : { socket: over, host: secure.serverName, allowHalfOpen: halfOpen }),
    secureContext: secure.context,
    rejectUnauthorized: secure.verify,
    ALPNProtocols: [...secure.alpn ?? ["http/1.1"]],
    ...(net.isIP(secure.serverName) ? {} : { servername: secure.serverName }),
  });
  if (over === undefined) socket.setNoDelay(true);
  return socket;
}

const errors = new WeakMap<Socket, Error>();

/** What went wrong on a connection since it was made; the runtimes do not keep errors of TLS themselves. */
export function errorOf(socket: Socket): Error | undefined {
  return errors.get(socket);
}

/** The server in messages; where an override or a hook leads elsewhere, the name that was asked for comes first. */
function nameOf({ host, port }: Peer, hostname: string): string {
  return hostname === host ? `${host}:${port}` : `${hostname} (at ${host}:${port})`;
}

function describePeer(peer: Peer, socket: Socket): void {
  if (socket.remoteAddress !== undefined) peer.address = socket.remoteAddress;
  if (socket.localAddress !== undefined) peer.localAddress = socket.localAddress;
  if (socket.localPort !== undefined) peer.localPort = socket.localPort;
}
