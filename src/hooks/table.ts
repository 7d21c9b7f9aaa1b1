/**
 * The one table of hooks: when each fires and what may be done in it. The reference is made from it.
 *
 * @module
 */
import type { Addon } from "./addon.ts";

/** The name of a hook. */
export type HookName = Exclude<keyof Addon, "name" | "needs">;

/** What is known of a hook. */
export interface HookEntry {
  /** The part of the proxy's life it belongs to. */
  readonly group: "lifecycle" | "connection" | "http" | "websocket" | "tcp";
  /** When it fires. */
  readonly when: string;
  /** What is true when it fires. */
  readonly guarantees: string;
  /** What may be changed, and what that does. */
  readonly mayChange: string;
  /** The event of mitmproxy that it is like, and how it differs. */
  readonly mitmproxy: string;
}

/** Every hook, in the order of a flow's life. */
export const HOOKS: Readonly<Record<HookName, HookEntry>> = {
  configure: {
    group: "lifecycle",
    when:
      "Once before `start`, with the name of every option in `updated`; later for each `proxy.configure()`, with the names that change.",
    guarantees: "The options are valid, and there with their defaults. Those of a change do not hold yet.",
    mayChange:
      "Nothing. Throwing refuses the options: startProxy() or proxy.configure() rejects, and addons that have been told of a " +
      "change are told of the options before. It may take as long as `timeouts.hooks` (5 s) says.",
    mitmproxy: "`configure`: gets the options too; throwing takes the place of `OptionsError`.",
  },
  start: {
    group: "lifecycle",
    when: "Once, when the proxy listens, before startProxy() resolves.",
    guarantees: "`configure` has run for every addon.",
    mayChange:
      "May return another addon, which takes this one's place: its `configure` is called, its `start` is not. Throwing makes " +
      "startProxy() reject. It may take as long as `timeouts.hooks` says.",
    mitmproxy: "`running`, and `load` for what is done once.",
  },
  tick: {
    group: "lifecycle",
    when:
      "Four times a second while the proxy is open; for each addon never twice at once. There is no timer when no addon has it.",
    guarantees: "The proxy is open.",
    mayChange: "Nothing.",
    mitmproxy: "No event: `asyncio` tasks do it there.",
  },
  log: {
    group: "lifecycle",
    when: "Whenever the proxy has something to say.",
    guarantees: "`message` is one line and holds no credentials.",
    mayChange: "Nothing. What it throws is dropped, for it could not be logged.",
    mitmproxy: "`add_log`, which is going away there.",
  },
  done: {
    group: "lifecycle",
    when: "Once, when every connection is closed, before close() settles.",
    guarantees: "No other hook follows.",
    mayChange:
      "Nothing. What it throws is thrown by close(), once every addon was called. It may take as long as `timeouts.hooks` says.",
    mitmproxy: "`done`: fires when the proxy has closed, and is waited for.",
  },
  clientConnect: {
    group: "connection",
    when: "A client has connected, before its first byte is read.",
    guarantees: "`client.address` and `client.port` are set.",
    mayChange: "Nothing. Throwing closes the connection.",
    mitmproxy: "`client_connected`: throwing, and not `client.error`, refuses the client.",
  },
  clientDisconnect: {
    group: "connection",
    when: "The connection is closed.",
    guarantees: "Follows each `clientConnect` once, after the last hook of its flows.",
    mayChange: "Nothing.",
    mitmproxy: "`client_disconnected`: the same.",
  },
  nextLayer: {
    group: "connection",
    when:
      "The first bytes of a connection have come; again in each tunnel (CONNECT, SOCKS), and again behind TLS. In a tunnel " +
      "also when the server spoke first.",
    guarantees:
      "`layer.name` is what the proxy takes it for, `layer.data` the first bytes, `layer.tunnel` where the tunnel leads.",
    mayChange:
      'Return `{ ...layer, name }` to have it served as something else: `"tcp"` relays the bytes as they are, `"drop"` ' +
      "resets the connection. Each addon sees what the one before it said. Throwing closes the connection.",
    mitmproxy:
      "`next_layer`: returns a layer by name, and does not set a layer object; asked once more in each tunnel and behind TLS.",
  },
  serverConnect: {
    group: "connection",
    when: "A new connection to a server is about to be made; not when one is reused.",
    guarantees: "`server.host` and `server.port` are where it will go.",
    mayChange: "`server.host` and `server.port`: the connection goes there; the request stays as it is.",
    mitmproxy:
      "`server_connect`: edit `server.host` and `server.port`, not `data.server.address`; throwing refuses. What `server_connected` tells is `tlsEstablished`, or the flow that follows.",
  },
  serverConnectError: {
    group: "connection",
    when: "A connection to a server could not be made: refused, not found, not trusted, not in time, or a hook threw.",
    guarantees: "`server.error` says why. `tlsFailed` has fired if it was TLS; `serverDisconnect` and `error` follow.",
    mayChange: "Nothing.",
    mitmproxy: "`server_connect_error`: the same.",
  },
  serverDisconnect: {
    group: "connection",
    when: "A server's connection is closed.",
    guarantees: "Follows each `serverConnect` once, also when the connection failed: then `server.error` is set.",
    mayChange: "Nothing.",
    mitmproxy: "`server_disconnected`: follows failed connections too.",
  },
  tlsClientHello: {
    group: "connection",
    when:
      "The first message of a client's TLS has arrived, before it is answered. Not of TLS that passes through unopened.",
    guarantees: "`hello` has what it says, its JA3 and JA4; `hello.client` is the connection.",
    mayChange: "Nothing. Throwing closes the connection.",
    mitmproxy:
      "`tls_clienthello`: whether TLS passes unopened is the option `https.passthrough`, or `nextLayer`, and not `ignore_connection`; `establish_server_tls_first` is not there, for the server is not needed. JA3 and JA4 come with it.",
  },
  tlsEstablished: {
    group: "connection",
    when: "TLS with a client (`side` is `client`) or a server is established, before anything is said in it.",
    guarantees:
      "`peer.tls` with version, cipher, protocol and certificates; `peer.proxyTls` where it is TLS with the proxy itself.",
    mayChange: "Nothing. Throwing closes the connection.",
    mitmproxy:
      "`tls_established_client` and `tls_established_server`: one hook with `side`. `tls_start_client` and `tls_start_server` are not there: `https` and `upstream` say how TLS is made.",
  },
  tlsFailed: {
    group: "connection",
    when:
      "TLS with a client or a server has failed: a certificate was not accepted, nothing was in common, or one hung up. " +
      "A client that looks at the certificate after the handshake and hangs up has had `tlsEstablished` before.",
    guarantees: "`peer.error` says why.",
    mayChange: "Nothing.",
    mitmproxy: "`tls_failed_client` and `tls_failed_server`: one hook with `side`.",
  },
  httpConnect: {
    group: "http",
    when:
      "A client asks for a tunnel with CONNECT, before it is answered. No other http hook fires for this flow but `error`. " +
      "Also when the proxy itself is about to ask another one (`upstream.proxy`, `upstream.pac`) for a tunnel with CONNECT: " +
      "then `flow.server.via` is that proxy, and no other hook fires for this flow.",
    guarantees:
      "`flow.request.hostname` and `port` are the target. `flow.server` is set for a CONNECT to another proxy alone.",
    mayChange:
      "`flow.response` with a status that is not 2xx refuses the tunnel. `flow.relay = true` opens it and relays what comes in it " +
      "unread, as a `TcpFlow`. To another proxy: headers, which are sent to it " +
      "(Proxy-Authorization, which is not shown, replaces that of its URL); a refusal fails the flows that wanted the tunnel.",
    mitmproxy:
      "`http_connect`, and `http_connect_upstream` (then `flow.server.via` is set). `http_connected` is not there; `http_connect_error` is `error` of the same flow.",
  },
  requestHeaders: {
    group: "http",
    when: "The head of a request has arrived, before any of it is sent on.",
    guarantees: "Everything but the body; reading the body throws BODY_INCOMPLETE unless there is none.",
    mayChange: "Everything but the body. `flow.response` answers at once, without waiting for the body; " +
      "`flow.error` or `flow.kill()` ends the flow. `flow.request.stream = true` lets the body pass while it arrives.",
    mitmproxy:
      "`requestheaders`: an answer set here is sent without the `request` hook. `flow.request.stream = true` is the same.",
  },
  request: {
    group: "http",
    when: "The request is complete, before it is sent on. With `flow.request.stream`: when it has been sent on. " +
      "Not when `requestHeaders` answered the flow.",
    guarantees: "`flow.request.body` is complete, or `flow.request.bodyTruncated` is true.",
    mayChange:
      "Everything: it has not been sent. `flow.response` answers, `flow.error` or `flow.kill()` ends the flow.",
    mitmproxy: "`request`: the same. A body that nobody wants to see streams by itself.",
  },
  informational: {
    group: "http",
    when: "The server has sent an informational response (1xx), before it is passed on; once for each.",
    guarantees: "`flow.informational.at(-1)` is it, with `status`, `reason` and `headers`.",
    mayChange: "Nothing of it. `flow.error` or `flow.kill()` ends the flow.",
    mitmproxy: "No event: mitmproxy lets them go.",
  },
  responseHeaders: {
    group: "http",
    when: "The head of the response has arrived, or an addon has set `flow.response`; before any of it is sent on.",
    guarantees: "`flow.response` without its body, unless an addon made it.",
    mayChange: "Status and headers; or `flow.response` as a whole: the body of the server is then let go. " +
      "`flow.response.stream = true` lets the body pass while it arrives.",
    mitmproxy: "`responseheaders`: fires for answers of addons too.",
  },
  response: {
    group: "http",
    when: "The response is complete, before it is sent on. With `flow.response.stream`, and always for server-sent " +
      "events: when it has been sent on. Each addon hears exactly one of `response`, `websocketEnd` and `error` of a flow.",
    guarantees: "`flow.response.body` is complete, or `flow.response.bodyTruncated` is true.",
    mayChange: "Everything, unless it was streamed.",
    mitmproxy: "`response`: fires when it has passed if it streamed; there it is the same, with an empty body.",
  },
  error: {
    group: "http",
    when: "The flow has failed: either side, a rule or a hook ended it. Each addon hears exactly one of `response`, " +
      "`websocketEnd` and `error` of a flow. For a WebSocket that is open: it was cut without a close frame, a side broke the protocol, a hook " +
      "or an addon ended it, or the proxy was closed.",
    guarantees:
      "Fires for every addon, also when one throws, but for those that had `response` of this flow before it failed. " +
      "`flow.error` with a stable code; `flow.response` may hold what had arrived. Of a WebSocket, " +
      "`flow.websocket.closeCode` says how it was closed: 1006 when it was cut.",
    mayChange: "Nothing: the client has been told.",
    mitmproxy: "`error`: the same promise, for each addon.",
  },
  websocketHandshake: {
    group: "websocket",
    when:
      "The server, or an addon in its place, has answered a request for a WebSocket with 101, after `responseHeaders` and before the client gets " +
      "it. One that the server refuses is a response like any other.",
    guarantees:
      "What the server has agreed to is valid. `flow.request.scheme` is `ws` or `wss`. `response` does not fire.",
    mayChange:
      "`flow.response`: another one refuses the handshake, and has its `response` hook; so does another status. " +
      "Headers, but for Sec-WebSocket-Extensions. `flow.error` or `flow.kill()` ends the flow. `flow.websocket.inject()` " +
      "sends the first message.",
    mitmproxy:
      "None: mitmproxy has `responseheaders` with 101, and then `websocket_start`. The first message comes after it.",
  },
  websocketMessage: {
    group: "websocket",
    when:
      "A message is complete, before it is sent on; what follows from that side waits, the other side does not. A message " +
      "of more than 16 MiB has passed already. Not for injected ones.",
    guarantees: "`message` is also `flow.websocket.messages.at(-1)` when the hook is called: whole, uncompressed.",
    mayChange:
      "`message.data`; `message.drop()` keeps it from the other side. `flow.websocket.inject()` sends others, before " +
      "it; `flow.websocket.close()` closes both sides. Throwing closes them with 1011; so does `flow.error`, unless it " +
      "is `DROPPED`; `flow.kill()` cuts the connections.",
    mitmproxy:
      "`websocket_message`: gets the message as a second argument too; `flow.websocket.inject()` is the command `inject.websocket`.",
  },
  websocketEnd: {
    group: "websocket",
    when: "The conversation was closed by one side or by `flow.websocket.close()`. Each addon hears " +
      "exactly one of `response`, `websocketEnd` and `error` of a flow.",
    guarantees: "`flow.websocket` with `closeCode`, `closeReason` and `closedBy`. No message follows.",
    mayChange: "Nothing.",
    mitmproxy: "`websocket_end`: a connection that was cut is an `error` here.",
  },
  tcpStart: {
    group: "tcp",
    when:
      "A conversation that is relayed as it is begins in a tunnel, before its server is connected to; after that when the client " +
      "was silent at first.",
    guarantees: "`flow.hostname` and `flow.port` are what the client asked for.",
    mayChange: "`flow.error` or `flow.kill()` refuses it: the client's connection is reset.",
    mitmproxy: "`tcp_start`: `flow.kill()` refuses it before the server is connected to.",
  },
  tcpMessage: {
    group: "tcp",
    when:
      "Bytes have come from one side, before they are passed on. What follows from that side waits; the other side does not.",
    guarantees: "`message` is the newest of its side, also in `flow.messages`.",
    mayChange:
      "`message.data`, which is sent; empty, or `message.drop()`: nothing is. `flow.error` or `flow.kill()` ends the flow.",
    mitmproxy: "`tcp_message`: gets the message as a second argument too.",
  },
  tcpEnd: {
    group: "tcp",
    when: "Both sides have ended. Exactly one of `tcpEnd` and `tcpError` fires for a flow.",
    guarantees: "Everything has been passed on.",
    mayChange: "Nothing.",
    mitmproxy: "`tcp_end`: the same.",
  },
  tcpError: {
    group: "tcp",
    when:
      "The conversation has failed: either side, an addon or a hook ended it. Exactly one of `tcpEnd` and `tcpError` fires.",
    guarantees: "`flow.error` with a stable code; both connections have been cut.",
    mayChange: "Nothing.",
    mitmproxy: "`tcp_error`: the same.",
  },
};

/** The name of every hook, in the order of the table. */
export const HOOK_NAMES: readonly HookName[] = Object.keys(HOOKS) as HookName[];
