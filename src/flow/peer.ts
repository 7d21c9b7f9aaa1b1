/**
 * The two ends of a flow.
 *
 * @module
 */
import type { CertificateInfo } from "./certificate.ts";
import type { FlowError } from "./flow_error.ts";

/** What the TLS handshake of a connection agreed on. */
export interface TlsInfo {
  /** Such as `TLSv1.3`. */
  readonly version: string;
  /** Such as `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** The name in the client's hello (SNI); none when it sent none. */
  readonly serverName?: string;
  /** The protocol that ALPN chose; none when it was not used. */
  readonly alpn?: string;
  /** When the handshake was done: milliseconds since the epoch. */
  readonly establishedAt: number;
  /** The certificates that this end has shown, its own first. Empty when it has shown none, as most clients do. */
  readonly certificates: readonly CertificateInfo[];
  /** Of a client: the JA3 fingerprint of its hello. */
  readonly ja3?: string;
  /** Of a client: the JA4 fingerprint of its hello. */
  readonly ja4?: string;
}

/** A connection to a client or to a server. */
export interface Peer {
  /** Unique in this process. */
  readonly id: number;
  /** The name or address that was asked for, IPv6 without brackets. Editable for a server in `serverConnect`. */
  host: string;
  /** The port that was asked for; a client's own port for a client. Editable for a server in `serverConnect`. */
  port: number;
  /** The address of the other end, once connected. None for a server behind another proxy, which alone knows it. */
  address?: string;
  /** The address and port of this end, once connected. */
  localAddress?: string;
  /** See {@linkcode Peer.localAddress | localAddress}. */
  localPort?: number;
  /** Milliseconds since the epoch. */
  connectedAt?: number;
  /** What TLS agreed on; none on plain connections. */
  tls?: TlsInfo;
  /** For a client that reaches the proxy itself over TLS (an HTTPS proxy): what that TLS agreed on. */
  proxyTls?: TlsInfo;
  /** For a client: the name with which it has authenticated with the proxy. */
  username?: string;
  /**
   * For a server that is reached through another proxy (`upstream.proxy`, `upstream.pac`): that proxy, such as
   * `http://proxy.test:3128`, without name and password.
   */
  via?: string;
  /** For a client: the `host:port` of the CONNECT tunnel that it speaks in. */
  tunnel?: string;
  /**
   * For a client that is the proxy itself: the id of the flow that it has sent again (`play()`) or given to the hooks once more
   * (`replayThroughHooks()`). There is no connection then, `host` is `"played"` and `port` 0.
   */
  played?: string;
  /** Why the connection failed. */
  error?: FlowError;
}

let lastId = 0;

/** For the wire: the id of a new connection. */
export function nextPeerId(): number {
  return ++lastId;
}
