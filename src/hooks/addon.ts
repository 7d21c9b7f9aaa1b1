/**
 * An addon: an object with some hooks as methods. What each hook is for stands in the table of hooks, `table.ts`.
 *
 * @module
 */
import type { ClientHello } from "../flow/client_hello.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { Peer } from "../flow/peer.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { TcpMessage } from "../flow/tcp_message.ts";
import type { WebSocketMessage } from "../flow/websocket.ts";
import type { Layer } from "./layer.ts";

/** A line of the proxy's log. */
export interface LogEntry {
  /** How bad it is. */
  readonly level: "debug" | "info" | "warn" | "error";
  /** One line. */
  readonly message: string;
}

/**
 * Some hooks. Every one is optional and may be async; see {@linkcode HOOKS} for when each fires and what may be
 * changed in it.
 *
 * @example
 * ```ts
 * import { type Addon, startProxy } from "flowtape";
 *
 * const tagger: Addon = {
 *   name: "tagger",
 *   requestHeaders: (flow) => flow.request.headers.set("x-test", "1"),
 * };
 * await using proxy = await startProxy({ addons: [tagger] });
 * ```
 *
 * @typeParam Options what `configure` is given: the options of `startProxy`
 */
export interface Addon<Options = unknown> {
  /** Used in errors and logs. */
  readonly name?: string;
  /** The options, at start and when some changed; `updated` names those. */
  configure?(options: Options, updated: ReadonlySet<string>): unknown;
  /** The proxy listens. May return an addon that takes this one's place. */
  start?(): Addon<Options> | void | Promise<Addon<Options> | void>;
  /** Now and then while the proxy is open. */
  tick?(): unknown;
  /** The proxy says something. */
  log?(entry: LogEntry): unknown;
  /** The proxy has closed. */
  done?(): unknown;
  /** A client connected. */
  clientConnect?(client: Peer): unknown;
  /** A client's connection is closed. */
  clientDisconnect?(client: Peer): unknown;
  /** Something is about to be spoken on a connection, in a tunnel or behind TLS. May return another layer to be served instead. */
  nextLayer?(layer: Layer): Layer | void | Promise<Layer | void>;
  /** A connection to a server is about to be made. */
  serverConnect?(server: Peer): unknown;
  /** A server could not be connected to. */
  serverConnectError?(server: Peer): unknown;
  /** A server's connection is closed. */
  serverDisconnect?(server: Peer): unknown;
  /** A client has begun TLS. */
  tlsClientHello?(hello: ClientHello): unknown;
  /** TLS with a client or a server is established. */
  tlsEstablished?(side: "client" | "server", peer: Peer): unknown;
  /** TLS with a client or a server has failed. */
  tlsFailed?(side: "client" | "server", peer: Peer): unknown;
  /** A client asks for a tunnel. */
  httpConnect?(flow: HttpFlow): unknown;
  /** The head of a request has arrived. */
  requestHeaders?(flow: HttpFlow): unknown;
  /** A request is complete. */
  request?(flow: HttpFlow): unknown;
  /** An informational response has arrived. */
  informational?(flow: HttpFlow): unknown;
  /** The head of a response has arrived, or an addon has set one. */
  responseHeaders?(flow: HttpFlow): unknown;
  /** A response is complete. */
  response?(flow: HttpFlow): unknown;
  /** A flow has failed. */
  error?(flow: HttpFlow): unknown;
  /** The server has agreed to a WebSocket. */
  websocketHandshake?(flow: HttpFlow): unknown;
  /** A message has come over a WebSocket. */
  websocketMessage?(flow: HttpFlow, message: WebSocketMessage): unknown;
  /** A WebSocket has been closed. */
  websocketEnd?(flow: HttpFlow): unknown;
  /** A conversation of raw bytes begins. */
  tcpStart?(flow: TcpFlow): unknown;
  /** Bytes have come from one side. */
  tcpMessage?(flow: TcpFlow, message: TcpMessage): unknown;
  /** Both sides have ended. */
  tcpEnd?(flow: TcpFlow): unknown;
  /** A conversation has failed. */
  tcpError?(flow: TcpFlow): unknown;
  /**
   * Asked before `request` and `response` of a flow: whether this addon needs that hook for it. A hook that nobody needs
   * does not fire, and the body is passed on while it arrives. Without this method every hook of the addon is needed.
   * `"after"`: `response` is wanted, but nothing waits for it; it fires when the response has passed, and can change nothing, unless
   * another addon needs it.
   */
  needs?(hook: "request" | "response", flow: HttpFlow): boolean | "after";
}
