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
  /**
   * Once before `start`, with the name of every option in `updated`; later for each `proxy.configure()`, with the
   * names that change.
   *
   * What is sure: The options are valid, and there with their defaults. Those of a change do not hold yet.
   *
   * What may be changed: Nothing. Throwing refuses the options: startProxy() or proxy.configure() rejects, and addons
   * that have been told of a change are told of the options before. It may take as long as `timeouts.hooks` (5 s)
   * says.
   */
  configure?(options: Options, updated: ReadonlySet<string>): unknown;
  /**
   * Once, when the proxy listens, before startProxy() resolves.
   *
   * What is sure: `configure` has run for every addon.
   *
   * What may be changed: May return another addon, which takes this one's place: its `configure` is called, its
   * `start` is not. Throwing makes startProxy() reject. It may take as long as `timeouts.hooks` says.
   */
  start?(): Addon<Options> | void | Promise<Addon<Options> | void>;
  /**
   * Four times a second while the proxy is open; for each addon never twice at once. There is no timer when no addon
   * has it.
   *
   * What is sure: The proxy is open.
   *
   * What may be changed: Nothing.
   */
  tick?(): unknown;
  /**
   * Whenever the proxy has something to say.
   *
   * What is sure: `message` is one line and holds no credentials.
   *
   * What may be changed: Nothing. What it throws is dropped, for it could not be logged.
   */
  log?(entry: LogEntry): unknown;
  /**
   * Once, when every connection is closed, before close() settles.
   *
   * What is sure: No other hook follows.
   *
   * What may be changed: Nothing. What it throws is thrown by close(), once every addon was called. It may take as
   * long as `timeouts.hooks` says.
   */
  done?(): unknown;
  /**
   * A client has connected, before its first byte is read.
   *
   * What is sure: `client.address` and `client.port` are set.
   *
   * What may be changed: Nothing. Throwing closes the connection.
   */
  clientConnect?(client: Peer): unknown;
  /**
   * The connection is closed.
   *
   * What is sure: Follows each `clientConnect` once, after the last hook of its flows.
   *
   * What may be changed: Nothing.
   */
  clientDisconnect?(client: Peer): unknown;
  /**
   * The first bytes of a connection have come; again in each tunnel (CONNECT, SOCKS), and again behind TLS. In a
   * tunnel also when the server spoke first.
   *
   * What is sure: `layer.name` is what the proxy takes it for, `layer.data` the first bytes, `layer.tunnel` where the
   * tunnel leads.
   *
   * What may be changed: Return `{ ...layer, name }` to have it served as something else: `"tcp"` relays the bytes as
   * they are, `"drop"` resets the connection. Each addon sees what the one before it said. Throwing closes the
   * connection.
   */
  nextLayer?(layer: Layer): Layer | void | Promise<Layer | void>;
  /**
   * A new connection to a server is about to be made; not when one is reused.
   *
   * What is sure: `server.host` and `server.port` are where it will go.
   *
   * What may be changed: `server.host` and `server.port`: the connection goes there; the request stays as it is.
   */
  serverConnect?(server: Peer): unknown;
  /**
   * A connection to a server could not be made: refused, not found, not trusted, not in time, or a hook threw.
   *
   * What is sure: `server.error` says why. `tlsFailed` has fired if it was TLS; `serverDisconnect` and `error`
   * follow.
   *
   * What may be changed: Nothing.
   */
  serverConnectError?(server: Peer): unknown;
  /**
   * A server's connection is closed.
   *
   * What is sure: Follows each `serverConnect` once, also when the connection failed: then `server.error` is set.
   *
   * What may be changed: Nothing.
   */
  serverDisconnect?(server: Peer): unknown;
  /**
   * The first message of a client's TLS has arrived, before it is answered. Not of TLS that passes through unopened.
   *
   * What is sure: `hello` has what it says, its JA3 and JA4; `hello.client` is the connection.
   *
   * What may be changed: Nothing. Throwing closes the connection.
   */
  tlsClientHello?(hello: ClientHello): unknown;
  /**
   * TLS with a client (`side` is `client`) or a server is established, before anything is said in it.
   *
   * What is sure: `peer.tls` with version, cipher, protocol and certificates; `peer.proxyTls` where it is TLS with
   * the proxy itself.
   *
   * What may be changed: Nothing. Throwing closes the connection.
   */
  tlsEstablished?(side: "client" | "server", peer: Peer): unknown;
  /**
   * TLS with a client or a server has failed: a certificate was not accepted, nothing was in common, or one hung up.
   * A client that looks at the certificate after the handshake and hangs up has had `tlsEstablished` before.
   *
   * What is sure: `peer.error` says why.
   *
   * What may be changed: Nothing.
   */
  tlsFailed?(side: "client" | "server", peer: Peer): unknown;
  /**
   * A client asks for a tunnel with CONNECT, before it is answered. No other http hook fires for this flow but
   * `error`. Also when the proxy itself is about to ask another one (`upstream.proxy`, `upstream.pac`) for a tunnel
   * with CONNECT: then `flow.server.via` is that proxy, and no other hook fires for this flow.
   *
   * What is sure: `flow.request.hostname` and `port` are the target. `flow.server` is set for a CONNECT to another
   * proxy alone.
   *
   * What may be changed: `flow.response` with a status that is not 2xx refuses the tunnel. `flow.relay = true` opens
   * it and relays what comes in it unread, as a `TcpFlow`. To another proxy: headers, which are sent to it
   * (Proxy-Authorization, which is not shown, replaces that of its URL); a refusal fails the flows that wanted the
   * tunnel.
   */
  httpConnect?(flow: HttpFlow): unknown;
  /**
   * The head of a request has arrived, before any of it is sent on.
   *
   * What is sure: Everything but the body; reading the body throws BODY_INCOMPLETE unless there is none.
   *
   * What may be changed: Everything but the body. `flow.response` answers at once, without waiting for the body;
   * `flow.error` or `flow.kill()` ends the flow. `flow.request.stream = true` lets the body pass while it arrives.
   */
  requestHeaders?(flow: HttpFlow): unknown;
  /**
   * The request is complete, before it is sent on. With `flow.request.stream`: when it has been sent on. Not when
   * `requestHeaders` answered the flow.
   *
   * What is sure: `flow.request.body` is complete, or `flow.request.bodyTruncated` is true.
   *
   * What may be changed: Everything: it has not been sent. `flow.response` answers, `flow.error` or `flow.kill()`
   * ends the flow.
   */
  request?(flow: HttpFlow): unknown;
  /**
   * The server has sent an informational response (1xx), before it is passed on; once for each.
   *
   * What is sure: `flow.informational.at(-1)` is it, with `status`, `reason` and `headers`.
   *
   * What may be changed: Nothing of it. `flow.error` or `flow.kill()` ends the flow.
   */
  informational?(flow: HttpFlow): unknown;
  /**
   * The head of the response has arrived, or an addon has set `flow.response`; before any of it is sent on.
   *
   * What is sure: `flow.response` without its body, unless an addon made it.
   *
   * What may be changed: Status and headers; or `flow.response` as a whole: the body of the server is then let go.
   * `flow.response.stream = true` lets the body pass while it arrives.
   */
  responseHeaders?(flow: HttpFlow): unknown;
  /**
   * The response is complete, before it is sent on. With `flow.response.stream`, and always for server-sent events:
   * when it has been sent on. Each addon hears exactly one of `response`, `websocketEnd` and `error` of a flow.
   *
   * What is sure: `flow.response.body` is complete, or `flow.response.bodyTruncated` is true.
   *
   * What may be changed: Everything, unless it was streamed.
   */
  response?(flow: HttpFlow): unknown;
  /**
   * The flow has failed: either side, a rule or a hook ended it. Each addon hears exactly one of `response`,
   * `websocketEnd` and `error` of a flow. For a WebSocket that is open: it was cut without a close frame, a side
   * broke the protocol, a hook or an addon ended it, or the proxy was closed.
   *
   * What is sure: Fires for every addon, also when one throws, but for those that had `response` of this flow before
   * it failed. `flow.error` with a stable code; `flow.response` may hold what had arrived. Of a WebSocket,
   * `flow.websocket.closeCode` says how it was closed: 1006 when it was cut.
   *
   * What may be changed: Nothing: the client has been told.
   */
  error?(flow: HttpFlow): unknown;
  /**
   * The server, or an addon in its place, has answered a request for a WebSocket with 101, after `responseHeaders`
   * and before the client gets it. One that the server refuses is a response like any other.
   *
   * What is sure: What the server has agreed to is valid. `flow.request.scheme` is `ws` or `wss`. `response` does not
   * fire.
   *
   * What may be changed: `flow.response`: another one refuses the handshake, and has its `response` hook; so does
   * another status. Headers, but for Sec-WebSocket-Extensions. `flow.error` or `flow.kill()` ends the flow.
   * `flow.websocket.inject()` sends the first message.
   */
  websocketHandshake?(flow: HttpFlow): unknown;
  /**
   * A message is complete, before it is sent on; what follows from that side waits, the other side does not. A
   * message of more than 16 MiB has passed already. Not for injected ones.
   *
   * What is sure: `message` is also `flow.websocket.messages.at(-1)` when the hook is called: whole, uncompressed.
   *
   * What may be changed: `message.data`; `message.drop()` keeps it from the other side. `flow.websocket.inject()`
   * sends others, before it; `flow.websocket.close()` closes both sides. Throwing closes them with 1011; so does
   * `flow.error`, unless it is `DROPPED`; `flow.kill()` cuts the connections.
   */
  websocketMessage?(flow: HttpFlow, message: WebSocketMessage): unknown;
  /**
   * The conversation was closed by one side or by `flow.websocket.close()`. Each addon hears exactly one of
   * `response`, `websocketEnd` and `error` of a flow.
   *
   * What is sure: `flow.websocket` with `closeCode`, `closeReason` and `closedBy`. No message follows.
   *
   * What may be changed: Nothing.
   */
  websocketEnd?(flow: HttpFlow): unknown;
  /**
   * A conversation that is relayed as it is begins in a tunnel, before its server is connected to; after that when
   * the client was silent at first.
   *
   * What is sure: `flow.hostname` and `flow.port` are what the client asked for.
   *
   * What may be changed: `flow.error` or `flow.kill()` refuses it: the client's connection is reset.
   */
  tcpStart?(flow: TcpFlow): unknown;
  /**
   * Bytes have come from one side, before they are passed on. What follows from that side waits; the other side does
   * not.
   *
   * What is sure: `message` is the newest of its side, also in `flow.messages`.
   *
   * What may be changed: `message.data`, which is sent; empty, or `message.drop()`: nothing is. `flow.error` or
   * `flow.kill()` ends the flow.
   */
  tcpMessage?(flow: TcpFlow, message: TcpMessage): unknown;
  /**
   * Both sides have ended. Exactly one of `tcpEnd` and `tcpError` fires for a flow.
   *
   * What is sure: Everything has been passed on.
   *
   * What may be changed: Nothing.
   */
  tcpEnd?(flow: TcpFlow): unknown;
  /**
   * The conversation has failed: either side, an addon or a hook ended it. Exactly one of `tcpEnd` and `tcpError`
   * fires.
   *
   * What is sure: `flow.error` with a stable code; both connections have been cut.
   *
   * What may be changed: Nothing.
   */
  tcpError?(flow: TcpFlow): unknown;
  /**
   * Asked before `request` and `response` of a flow: whether this addon needs that hook for it. A hook that nobody needs
   * does not fire, and the body is passed on while it arrives. Without this method every hook of the addon is needed.
   * `"after"`: `response` is wanted, but nothing waits for it; it fires when the response has passed, and can change nothing, unless
   * another addon needs it.
   */
  needs?(hook: "request" | "response", flow: HttpFlow): boolean | "after";
}
