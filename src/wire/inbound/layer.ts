/**
 * Finds out what a client speaks, and lets it be spoken to.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { FlowtapeError } from "../../flow/error.ts";
import type { Peer } from "../../flow/peer.ts";
import type { Layer, LayerName } from "../../hooks/layer.ts";
import { openRelay } from "../tcp/open_relay.ts";
import { ServerGreeting } from "../tcp/server_greeting.ts";
import { arrive } from "../trail.ts";
import type { WireContext } from "../wire_context.ts";
import { guess, type Place } from "./guess.ts";
import { Http1Connection } from "./http1_connection.ts";
import { type FirstBytes, look } from "./look.ts";
import { passesThrough } from "./pass_through.ts";
import { resetConnection } from "./reset.ts";
import type { Route } from "./route.ts";
import { openSocks } from "./socks_layer.ts";
import { openTls } from "./tls_layer.ts";

/**
 * How long a client in a tunnel may be silent before its server is connected to, in milliseconds: the server may be the one that
 * speaks first. Also how long the rest of a line is waited for that may become one of HTTP. Clients of HTTP and TLS speak at once.
 */
const PATIENCE_MS = 250;

/** What is about to be served. */
interface Next {
  readonly socket: Duplex;
  readonly peer: Peer;
  readonly route: Route;
  readonly context: WireContext;
  readonly seen: FirstBytes;
  /** The server, when the client was silent: connected, or being connected to. */
  readonly server: ServerGreeting | undefined;
  readonly serverName: string | undefined;
}

/** How each layer is served. `false`: the client hung up without a word. */
const LAYERS: Readonly<Record<LayerName, (next: Next) => boolean | Promise<boolean>>> = {
  async tls({ socket, peer, route, context }) {
    await openTls(socket, peer, route.tunnel, context);
    return true;
  },
  http1({ socket, peer, route, context }) {
    new Http1Connection(socket, peer, route, context);
    return true;
  },
  async http2({ socket, peer, route, context }) {
    const { Http2ClientConnection } = await import("../http2/client_connection.ts");
    new Http2ClientConnection(socket, peer, route, context);
    return true;
  },
  async socks({ socket, peer, context }) {
    await openSocks(socket, peer, context);
    return true;
  },
  tcp(next) {
    const { tunnel, scheme } = next.route;
    if (tunnel === undefined) throw unknownProtocol(next.seen);
    openRelay({ ...next, tunnel, secure: scheme === "https" });
    return true;
  },
  drop({ socket }) {
    resetConnection(socket);
    return true;
  },
};

/**
 * Serves what comes next on a socket: TLS is opened with a certificate of the proxy's authority, HTTP and SOCKS are read, what is
 * none of them is relayed to the target of the tunnel. The `nextLayer` hooks may decide otherwise.
 *
 * @returns `false` when the client hung up without a word
 * @throws {FlowtapeError} the client gave up, does not accept the certificate, or speaks something that makes no sense here
 * @throws {HookError} a `nextLayer` hook threw
 */
export async function openLayer(socket: Duplex, peer: Peer, route: Route, context: WireContext): Promise<boolean> {
  const place = route.tunnel === undefined ? "port" : route.scheme === "https" ? "secure" : "tunnel";
  const patience = route.relay === true ? untilAny : patienceIn(place, context);
  // Who agreed on HTTP behind TLS has opened a connection for later, as browsers do.
  const mayListen = place === "tunnel" || (place === "secure" && !peer.tls?.alpn);
  let seen = await look(socket, (bytes) => bytes.length > 0 || !mayListen ? patience(bytes) : PATIENCE_MS);
  const server = seen.why === "late" && seen.bytes.length === 0
    ? new ServerGreeting(peer, { ...route, tunnel: route.tunnel! }, context)
    : undefined;
  try {
    if (server !== undefined) seen = await look(socket, patience, server.heard);
    if (place === "port") arrive(peer);
    // When the proxy is closed everything ends, and nothing begins with that.
    if (context.closing.aborted || (seen.why === "ended" && seen.bytes.length === 0)) {
      server?.leave();
      socket.destroy();
      return false;
    }
    const { layer, serverName } = await decide(place, { socket, peer, route, context, seen });
    if (layer.name !== "tcp") server?.leave();
    if (!seen.putBack && layer.name !== "tcp" && layer.name !== "drop") throw clientAborted();
    return await LAYERS[layer.name]({ socket, peer, route, context, seen, server, serverName });
  } catch (error) {
    server?.leave();
    throw error;
  }
}

/** What a client seems to speak, and what the addons say to that. */
async function decide(
  place: Place,
  { socket, peer, route, context, seen }: Omit<Next, "server" | "serverName">,
): Promise<{ layer: Layer; serverName: string | undefined }> {
  const { bytes } = seen;
  // Both have agreed on it (RFC 7301): whatever comes should be HTTP/2.
  const agreed = place === "secure" && peer.tls?.alpn === "h2";
  let name: LayerName = bytes.length === 0 || route.relay === true
    ? "tcp"
    : agreed
    ? "http2"
    : guess(place, bytes).name;
  const asks = context.hooks.has("nextLayer");
  let serverName: string | undefined;
  if (name === "tls" && place === "tunnel" && seen.putBack && (asks || context.config.passthrough !== undefined)) {
    const answer = await passesThrough(socket, peer, route.tunnel!, context);
    serverName = answer.serverName;
    if (answer.passes) name = "tcp";
  }
  const layer: Layer = {
    name,
    client: peer,
    ...(route.tunnel && { tunnel: route.tunnel }),
    ...(serverName === undefined ? {} : { serverName }),
    data: bytes,
  };
  return { layer: asks ? await context.hooks.nextLayer(layer) : layer, serverName };
}

/** What is relayed need not be understood. */
const untilAny = (bytes: FirstBytes["bytes"]): number => bytes.length === 0 ? Infinity : 0;

/** How long more bytes are waited for, given those that have come. A client that has said nothing may take its time. */
function patienceIn(place: Place, { config }: WireContext): (bytes: FirstBytes["bytes"]) => number {
  const wait = { no: 0, perhaps: PATIENCE_MS, surely: config.timeouts.head };
  return (bytes) => bytes.length === 0 ? Infinity : wait[guess(place, bytes).open];
}

function unknownProtocol({ bytes }: FirstBytes): FlowtapeError {
  const first = (bytes[0] ?? 0).toString(16).padStart(2, "0");
  return new FlowtapeError(
    "UNKNOWN_PROTOCOL",
    `the client speaks neither HTTP nor SOCKS with the proxy (its first byte is 0x${first}): other protocols are relayed in a ` +
      `tunnel, which CONNECT or SOCKS opens`,
  );
}

function clientAborted(): FlowtapeError {
  return new FlowtapeError("CLIENT_ABORTED", "the client closed the connection in the middle of its first line");
}
