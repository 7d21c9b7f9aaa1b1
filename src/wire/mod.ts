/**
 * The wire of one proxy: a port on one side, servers on the other, flows in between.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import type { LogEntry } from "../hooks/addon.ts";
import type { Dispatcher } from "../hooks/dispatcher.ts";
import type { CertificateAuthority } from "./ca/mod.ts";
import type { ProxyCredentials } from "./inbound/proxy_auth.ts";
import { openKeyLog } from "./key_log.ts";
import { listen } from "./listener.ts";
import { leadsHome } from "./own_address.ts";
import type { TlsVersion, TrustConfig } from "./outbound/trust.ts";
import { Upstream } from "./outbound/upstream.ts";
import { WayOut, type WayOutConfig } from "./outbound/way_out.ts";
import { newProxyName } from "./trail.ts";
import type { ClientConnection, Observer, WireContext } from "./wire_context.ts";

export { type CaOptions, type CertificateAuthority, openCa } from "./ca/mod.ts";
export type { Observer } from "./wire_context.ts";

/** What a wire needs. */
export interface WireOptions {
  readonly host: string;
  readonly port: number;
  readonly hooks: Dispatcher;
  readonly observer: Observer;
  readonly ca: CertificateAuthority;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly head: number; readonly idle: number };
  readonly limits: { readonly headBytes: number; readonly connections: number; readonly persistent?: boolean };
  readonly upstream: Omit<TrustConfig, "keyLog"> & WayOutConfig & {
    readonly verify: (flow: HttpFlow) => boolean;
    /** Whether the certificate of another proxy must be trusted. */
    readonly verifyProxy: boolean;
    /** Whether servers may speak HTTP/2. */
    readonly http2: boolean;
    /** Whether a connection to a server serves more than one request. */
    readonly persistent?: boolean;
  };
  /** What clients must send to use the proxy. */
  readonly auth?: ProxyCredentials | undefined;
  /** How TLS of clients is taken. */
  readonly tls?: { readonly minVersion?: TlsVersion; readonly requestCert?: boolean };
  /** Whether TLS for the target of a request for a tunnel is relayed unopened. */
  readonly passthrough?: ((flow: HttpFlow) => boolean) | undefined;
  /** A file for the secrets of TLS connections. */
  readonly keyLogFile?: string | undefined;
  log(level: LogEntry["level"], message: string): void;
}

/** An open wire. */
export interface Wire {
  /** The port that it listens on. */
  readonly port: number;
  /** Ends every flow in flight with `PROXY_CLOSED` and closes every connection. */
  close(): Promise<void>;
}

/**
 * Opens the port.
 *
 * @throws {FlowtapeError} the port cannot be listened on
 */
export async function openWire(options: WireOptions): Promise<Wire> {
  const { host, hooks, timeouts, limits, auth, tls, passthrough } = options;
  const own = { host, port: -1 };
  const keys = options.keyLogFile === undefined ? undefined : openKeyLog(options.keyLogFile);
  const keyLog = keys && ((line: Uint8Array) => keys.write(line));
  const clients = new Set<ClientConnection>();
  const closing = new AbortController();
  const isSelf = (hostname: string, port: number) =>
    leadsHome(own, { hostname, port }, { timeout: timeouts.connect, signal: closing.signal });
  const wayOut = new WayOut({
    ...options.upstream,
    timeouts,
    isSelf,
    keyLog,
    hooks,
    signal: closing.signal,
    log: (message) => options.log("info", message),
  });
  const upstream = new Upstream(
    { ...options.upstream, wayOut, timeouts, headBytes: limits.headBytes, isSelf, keyLog, name: newProxyName() },
    hooks,
  );
  const context: WireContext = {
    hooks,
    upstream,
    clients,
    observer: options.observer,
    ca: options.ca,
    config: { timeouts, ...limits, ...(auth && { auth }), ...(tls && { tls }), ...(passthrough && { passthrough }) },
    ...(keyLog && { keyLog }),
    closing: closing.signal,
    log: (level, message) => options.log(level, message),
  };
  const listener = await wayOut.ready().then(() => listen(host, options.port, context)).catch((error) => {
    keys?.close();
    throw error;
  });
  own.port = listener.port;
  return {
    port: listener.port,
    async close() {
      closing.abort();
      const goodbyes = shutDown(clients);
      await Promise.all([goodbyes.then(() => upstream.close()), listener.close(goodbyes)]);
      keys?.close();
    },
  };
}

async function shutDown(clients: Iterable<ClientConnection>): Promise<void> {
  const reason = { code: "PROXY_CLOSED", message: "the proxy was closed while the request was in flight" };
  await Promise.all([...clients].map((client) => client.shutDown(reason)));
  // Those that came while others took their leave.
  for (const client of [...clients]) void client.shutDown(reason);
}
