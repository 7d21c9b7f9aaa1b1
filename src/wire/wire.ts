/**
 * What a wire needs, and what it does.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { LogEntry } from "../hooks/addon.ts";
import type { Dispatcher } from "../hooks/dispatcher.ts";
import type { Application } from "./app/application.ts";
import type { CertificateAuthority } from "./ca/mod.ts";
import type { ProxyCredentials } from "./inbound/proxy_auth.ts";
import type { TlsVersion, TrustConfig } from "./outbound/trust.ts";
import type { WayOutConfig } from "./outbound/way_out.ts";
import type { AskOptions } from "./played/play.ts";
import type { ReplayOptions } from "./played/replay.ts";
import type { Observer } from "./wire_context.ts";

/** What a wire needs. */
export interface WireOptions {
  readonly host: string;
  readonly port: number;
  readonly hooks: Dispatcher;
  readonly observer: Observer;
  readonly ca: CertificateAuthority;
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly head: number; readonly idle: number };
  readonly limits: {
    readonly headBytes: number;
    readonly connections: number;
    readonly keepAlive?: number;
    readonly persistent?: boolean;
  };
  readonly upstream: Omit<TrustConfig, "keyLog"> & WayOutConfig & {
    readonly verify: (flow: HttpFlow) => boolean;
    /** Whether the certificate of another proxy must be trusted. */
    readonly verifyProxy: boolean;
    /** Whether servers may speak HTTP/2. */
    readonly http2: boolean;
    /** Whether a connection to a server serves more than one request. */
    readonly persistent?: boolean;
  };
  /** Answers in the place of servers. */
  readonly app?: Application | undefined;
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
  /**
   * Prepares other options: all but host, port, authority and key log may be others. What is returned makes them hold, for flows that
   * begin then; those in flight keep theirs. A connection keeps the limit of its heads.
   *
   * @throws {FlowtapeError} a PAC file cannot be read
   */
  change(options: WireOptions, which: { readonly upstream: "same" | "new" }): Promise<() => void>;
  /**
   * Sends the request of a flow as a client would, and resolves with the new flow when that is over, however it ended.
   *
   * @param timeout milliseconds until it is given up
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  play(flow: HttpFlow, timeout?: number): Promise<HttpFlow>;
  /**
   * Sends the request of a flow to its server, past all hooks and the observer; resolves with the new flow when that is over.
   *
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  ask(flow: HttpFlow, options: AskOptions): Promise<HttpFlow>;
  /**
   * Lets the hooks of a flow fire once more, on a copy, which it resolves with. Nothing reaches the network.
   *
   * @throws {FlowtapeError} `PROXY_CLOSED`
   */
  replay(flow: Flow, options: ReplayOptions): Promise<Flow>;
  /** Ends every flow in flight with `PROXY_CLOSED` and closes every connection. */
  close(): Promise<void>;
}
