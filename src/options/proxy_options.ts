/**
 * The options of a proxy, as users give them.
 *
 * @module
 */
import type { Alerter } from "../alerters/alerter.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import type { Addon } from "../hooks/addon.ts";
import type { Action, RuleLike } from "../rules/mod.ts";
import type { TapeOptions } from "../tape/options.ts";
import type { Application } from "../wire/app/application.ts";
import type { ClientCertificate, TlsVersion } from "../wire/outbound/trust.ts";

/** What `startProxy()` takes. */
export interface ProxyOptions {
  /** The address to listen on. `"127.0.0.1"` by default: only this machine can connect. */
  host?: string;
  /** The port to listen on. 0 by default: any free one. */
  port?: number;
  /** A tape to replay from and record on; a path is short for `{ path, mode: "auto" }`. */
  tape?: string | TapeOptions;
  /** What to do with which flows; the first that matches wins. */
  rules?: readonly RuleLike[];
  /** What to do with flows that no rule matches. `"forward"` by default. */
  defaultAction?: Action;
  /** Objects with hooks, called in this order, before the rules and the tape. */
  addons?: readonly Addon<ProxyOptions>[];
  /** How TLS is intercepted. */
  https?: HttpsOptions;
  /** How servers are reached. */
  upstream?: UpstreamOptions;
  /**
   * What clients must send to use the proxy, with HTTP as with SOCKS; a client that does not is answered with 407.
   * `proxy.fetch()` and `proxy.env()` have it.
   */
  auth?: AuthOptions;
  /**
   * An application in the place of the servers: what `mount()` of `flowtape/gateway` makes. It gets what no addon, rule or tape has answered.
   */
  app?: Application;
  /**
   * The server for requests that are sent to the proxy as to any server (`GET /path`), such as `"https://api.test"` or, with a path that goes
   * before theirs, `"https://api.test/v1"`: rules, tape, addons and `proxy.flows` see them as requests for that server. Location and
   * Content-Location, and path and domain of cookies, come back as the client can use them. What is sent as to a proxy goes where it says.
   */
  reverse?: string | URL;
  /** What is kept of flows. */
  capture?: CaptureOptions;
  /** How long things may take. */
  timeouts?: TimeoutOptions;
  /** How large things may be. */
  limits?: LimitOptions;
  /** What is written to the standard error stream: 0 (default) nothing, 1 a line for each flow, 2 requests in full, 3 responses too. */
  verbose?: 0 | 1 | 2 | 3;
  /**
   * Called before the rules with every request that is complete; it may be async, and may change the request or answer it, as the hook
   * `request` may. The rules then see what it has left. Not called for CONNECT.
   */
  preFunction?: (flow: HttpFlow) => void | Promise<void>;
  /**
   * Passes responses on as they come when their length is not known beforehand, also where a rule or a hook wants the whole: those can
   * change status and headers, and see the body when it has passed. `false` by default.
   */
  forwardChunked?: boolean;
  /** `false`: one request for each connection, on both sides, in HTTP/1.1. `true` by default. */
  persistent?: boolean;
  /** What looks at every flow that is over and says what it finds, kept as `flow.alerts`: one alerter or several. */
  alerter?: Alerter | readonly Alerter[];
  /** Closes the proxy when it aborts. */
  signal?: AbortSignal;
}

/** How TLS is intercepted. */
export interface HttpsOptions {
  /**
   * The certificate authority: by default one that lives in the memory of this process; `{ dir }` keeps it in a folder;
   * `{ cert, key }` takes one in PEM.
   */
  ca?: { dir: string } | { cert: string; key: string };
  /**
   * TLS in tunnels that is not opened but relayed as it is: a list of hosts (`["pinned.test", "*.bank.test:8443"]`), or a matcher. It is
   * asked about a request `CONNECT https://host:port/`: once for the target of the tunnel, and once for the name in the client's hello
   * (SNI) where that is another. What is relayed is a {@linkcode TcpFlow}; other protocols in such tunnels are served as ever.
   */
  passthrough?: Matcher | readonly string[];
  /** The oldest version of TLS that clients may speak. `"TLSv1.2"` by default. */
  minVersion?: TlsVersion;
  /** Asks clients for a certificate, and takes any or none: `flow.client.tls.certificates` has it. `false` by default. */
  requestClientCert?: boolean;
  /**
   * A file to which the secrets of every TLS connection are appended, of clients and of servers, as Wireshark reads them. Whoever has
   * it can decrypt the connections. Not on Deno.
   */
  keyLogFile?: string;
}

/** What clients must send to use the proxy. */
export interface AuthOptions {
  /** The name; without a colon, which the Basic scheme cannot carry. */
  username: string;
  /** The password. */
  password: string;
}

/** How servers are reached. */
export interface UpstreamOptions {
  /** Certificate authorities (PEM) to trust besides the well-known ones. */
  ca?: string | readonly string[];
  /** Whether certificates of servers must be trusted: `false` for none, a matcher for the flows where they must. `true` by default. */
  verify?: boolean | Matcher;
  /**
   * Whether servers may speak HTTP/2 with the proxy: behind TLS where they want to (ALPN), without TLS where the client does. `true` by
   * default. What clients speak with the proxy does not depend on it: every combination is translated.
   */
  http2?: boolean;
  /** Where names lead to, whatever DNS says: `{ "api.test": "127.0.0.1:4000", "*.shop.test": "127.0.0.1" }`. */
  hosts?: Record<string, string>;
  /**
   * Another proxy on the way to the servers: `"http://user:password@host:port"`, or the same with `https`, `socks5`, `socks5h`, `socks4`
   * or `socks4a` (`h` and `a` leave it to the proxy to resolve names); or a function that chooses one for each flow, `undefined` for
   * none. For a conversation that is not HTTP the function gets a CONNECT request. An HTTP proxy is asked for a tunnel with CONNECT
   * also where the server is plain `http`: it sees hosts and ports, and no more. What `hosts` names is reached without it.
   */
  proxy?: string | ((flow: HttpFlow) => string | undefined);
  /**
   * Which servers are reached without `proxy` or `pac`, with commas between them: `"localhost,.shop.test,api.test:8443,10.0.0.0/8"`, as
   * in the environment variable NO_PROXY.
   */
  noProxy?: string;
  /**
   * A PAC file that says through which proxies servers are reached: its path, URL or text. It runs in the package `quickjs-wasi`, which
   * is to be installed for it. What it has said of a server (with plain `http`: of a URL) holds as long as the proxy is open.
   */
  pac?: string;
  /**
   * The certificate for servers that ask for one, by host: `{ "api.test": { cert, key }, "*.bank.test": { pfx, passphrase } }`. A name
   * with its port goes before the name alone, that before the longest wildcard.
   */
  clientCertificates?: Record<string, ClientCertificate>;
  /** The oldest version of TLS that is spoken with servers. `"TLSv1.2"` by default. */
  minVersion?: TlsVersion;
  /** The newest version of TLS that is spoken with servers. `"TLSv1.3"` by default. */
  maxVersion?: TlsVersion;
}

/** What is kept of flows. */
export interface CaptureOptions {
  /** How many bytes of each body are kept. 16 MiB by default. Hooks see no more than this; what passes is not cut. */
  maxBody?: number;
  /** How many flows are kept: the oldest go. 10,000 by default. */
  maxFlows?: number;
}

/** How long things may take, in milliseconds. */
export interface TimeoutOptions {
  /** To connect to a server. 10,000 by default. */
  connect?: number;
  /** For a whole head, of a request or a response. 30,000 by default. */
  head?: number;
  /** Between two pieces of a body. 60,000 by default. */
  idle?: number;
  /** For the hooks `configure`, `start` and `done`, each of them and each addon. 5,000 by default. Other hooks may take as long as they like. */
  hooks?: number;
}

/** How large things may be. */
export interface LimitOptions {
  /** Bytes of the head of a message. 65,536 by default. */
  headBytes?: number;
  /** Clients connected at once. 10,000 by default. */
  connections?: number;
  /**
   * Connections of HTTP/1.1 that are kept open for further requests: while more clients are connected, each is closed behind its response. As
   * many as may be connected by default; 0 keeps none.
   */
  keepAlive?: number;
}
