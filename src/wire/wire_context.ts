/**
 * What every connection of one proxy shares.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { OverflowPlan } from "../flow/body_overflow.ts";
import type { Message } from "../flow/message.ts";
import type { FlowError } from "../flow/flow_error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { LogEntry } from "../hooks/addon.ts";
import type { Dispatcher } from "../hooks/dispatcher.ts";
import type { CertificateAuthority } from "./ca/mod.ts";
import type { ProxyCredentials } from "./inbound/proxy_auth.ts";
import type { TlsVersion } from "./outbound/trust.ts";
import type { Upstream } from "./outbound/upstream.ts";

/** Is told when flows begin and end. Unlike a hook it cannot change them, and no byte waits for it. */
export interface Observer {
  /** The head of a request has arrived, or a raw conversation begins; before its first hook. */
  started(flow: Flow): void;
  /** Nothing more happens to the flow. The client may have its last byte already, but no later turn of this event loop has begun. */
  ended(flow: Flow): void;
  /**
   * How many bytes of a body of a flow are kept, or of a raw conversation. Asked once the `requestHeaders` hooks have run, and again
   * for the response.
   */
  bodyLimit(flow: Flow): number;
  /** What becomes of the body of a message that grows too large; its first bytes are kept all the same. Asked after `bodyLimit`. */
  overflow?(flow: HttpFlow, message: Message): OverflowPlan | undefined;
  /** Whether the chunks of a response are told apart, and their times kept. Asked when its head has come. */
  keepsChunks?(flow: HttpFlow): boolean;
  /** Whether nothing may reach the network that no hook has let pass: then no server is connected to before there is a flow. */
  offline(): boolean;
  /** Whether an addon will speak first in a raw conversation with this server: a client that is silent need not be waited for. */
  greets?(target: { readonly hostname: string; readonly port: number }): boolean;
}

/** Limits and times of the connections of clients. */
export interface InboundConfig {
  /** Milliseconds from the first byte of a head to its end, and between two pieces of a body. */
  readonly timeouts: { readonly head: number; readonly idle: number };
  /** The largest head, in bytes. */
  readonly headBytes: number;
  /** How many clients may be connected at once. */
  readonly connections: number;
  /** How many clients may be connected while a connection is kept open behind a response; any number by default. */
  readonly keepAlive?: number;
  /** Whether a connection serves more than one request; it does by default. */
  readonly persistent?: boolean;
  /** Whether TLS for the target of a request for a tunnel is relayed unopened. */
  readonly passthrough?: (flow: HttpFlow) => boolean;
  /** How TLS of clients is taken. */
  readonly tls?: { readonly minVersion?: TlsVersion; readonly requestCert?: boolean };
  /** What clients must send to use the proxy. None: anybody may. */
  readonly auth?: ProxyCredentials;
}

/** A client's connection, as far as closing the proxy needs it. */
export interface ClientConnection {
  /** Ends what is in flight, and the connection: at once, or within a fraction of a second where there are goodbyes to be said. */
  shutDown(reason: FlowError): void | Promise<void>;
}

/** The way to the servers, as far as flows need it. */
export type Servers = Pick<Upstream, "idle" | "connect" | "tcp">;

/**
 * What every connection of one proxy shares. The options of a proxy may change while it is open: a connection sees those of the moment,
 * a flow takes `now` when it begins, and keeps it.
 */
export interface WireContext {
  /** The same as it is at this moment, and will stay. */
  readonly now: WireContext;
  readonly hooks: Dispatcher;
  readonly observer: Observer;
  readonly upstream: Servers;
  readonly ca: CertificateAuthority;
  readonly config: InboundConfig;
  /** The connections of clients; each takes itself out when it is closed. */
  readonly clients: Set<ClientConnection>;
  /** Gets each line of the key log, of both sides. */
  readonly keyLog?: (line: Uint8Array) => void;
  /** Aborts when the proxy is being closed. */
  readonly closing: AbortSignal;
  /** A line for the log. */
  log(level: LogEntry["level"], message: string): void;
}
