/**
 * Streams of HTTP/2 that a test speaks in byte by byte: the frames around them are those of node:http2, in a process of Node's.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Proxy } from "../../../src/mod.ts";
import { connectRaw } from "../../support/raw_client.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";
import { runtimePath } from "../../support/runtime.ts";
import { Peer } from "../websocket/peers.ts";

/** What node_bridge.ts is to be. */
export interface BridgeOptions {
  /** A server beside the client. */
  server?: { cert?: string; key?: string; forward: number; connectProtocol?: boolean; allowHTTP1?: boolean };
}

/** What a client is to do. */
export interface OpenOrder {
  ask?: "codes" | "sessions" | "leave" | "goAway" | "cut";
  /** Connections of the same kind are shared. */
  session?: { port: number; target?: string; ca?: string; servername?: string; name?: string };
  headers?: Record<string, string>;
  end?: boolean;
}

/** The head of an answer. */
export interface Opened {
  status?: number;
  headers?: Record<string, string>;
  end?: boolean;
  error?: string;
  /** The code of RST_STREAM that came in its place. */
  code?: number;
}

/** How a client reaches the proxy. */
export interface Reach {
  /** `plain`: with prior knowledge on its port; `secure`: over TLS on its port; or in a tunnel to this server, with TLS or without. */
  way?: "plain" | "secure" | { tunnel: string; tls: boolean };
  /** Another connection than those of other names. */
  name?: string;
}

/** A stream that is open, or refused. */
export interface BridgedStream extends Opened, AsyncDisposable {
  readonly connection: RawConnection;
}

/** Streams for tests. */
export interface Bridge extends AsyncDisposable {
  /** The port of the server. */
  readonly server: number;
  /** Opens a stream to a proxy. */
  open(proxy: Proxy, headers: Record<string, string>, reach?: Reach & { end?: boolean }): Promise<BridgedStream>;
  /** Opens a stream in which the proxy is asked for a tunnel. */
  tunnel(proxy: Proxy, target: string, reach?: Reach, headers?: Record<string, string>): Promise<BridgedStream>;
  /** Opens a stream in which a WebSocket is asked for. */
  webSocket(proxy: Proxy, url: string, reach?: Reach, headers?: Record<string, string>): Promise<BridgedStream>;
  /** Each stream that is closed: who has seen that, and the code. */
  codes(): Promise<[side: "client" | "server", code: number][]>;
  /** How many connections the server has got. */
  sessions(): Promise<number>;
  /** The clients leave; their streams go on. */
  leave(): Promise<unknown>;
  /** The server goes away; its streams go on. */
  goAway(): Promise<unknown>;
  /** The server cuts its connections. */
  cut(): Promise<unknown>;
}

/** Starts node_bridge.ts. */
export async function startBridge(options: BridgeOptions = {}): Promise<Bridge> {
  const script = join(import.meta.dirname!, "node_bridge.ts");
  const child = spawn(runtimePath("node"), [script, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const [line] = await Promise.race([
    once(child.stdout, "data"),
    closed.then(() => {
      throw new Error("node_bridge.ts has ended");
    }),
  ]);
  const ports: { control: number; server: number } = JSON.parse(String(line));
  const order = async (it: OpenOrder): Promise<RawConnection> => {
    const connection = await connectRaw(ports.control);
    await connection.write(`${JSON.stringify(it)}\n`);
    return connection;
  };
  const ask = async (what: NonNullable<OpenOrder["ask"]>) => {
    await using connection = await order({ ask: what });
    const answer = await connection.readUntil("\n");
    return answer === "undefined\n" ? undefined : JSON.parse(answer);
  };
  const open: Bridge["open"] = async (proxy, headers, { way = "plain", name, end } = {}) => {
    const tunnel = typeof way === "object" ? way : undefined;
    const secure = way === "secure" || tunnel?.tls === true;
    const connection = await order({
      headers,
      ...(end && { end }),
      session: {
        port: proxy.port,
        ...(name && { name }),
        ...(tunnel && { target: tunnel.tunnel }),
        ...(secure && { ca: proxy.ca.cert, servername: tunnel?.tunnel.replace(/:\d+$/, "") ?? "localhost" }),
      },
    });
    const opened: Opened = JSON.parse(await connection.readUntil("\n"));
    return { ...opened, connection, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() };
  };
  return {
    server: ports.server,
    open,
    tunnel: (proxy, target, reach, headers = {}) =>
      open(proxy, { ":method": "CONNECT", ":authority": target, ...headers }, reach),
    webSocket(proxy, url, reach, headers = {}) {
      const { protocol, host, pathname, search } = new URL(url);
      return open(proxy, {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": protocol === "wss:" ? "https" : "http",
        ":authority": host,
        ":path": pathname + search,
        "sec-websocket-version": "13",
        ...headers,
      }, reach);
    },
    codes: () => ask("codes"),
    sessions: () => ask("sessions"),
    leave: () => ask("leave"),
    goAway: () => ask("goAway"),
    cut: () => ask("cut"),
    async [Symbol.asyncDispose]() {
      child.kill();
      await closed;
    },
  };
}

/** The client's end of an open WebSocket. */
export function peerOf(stream: BridgedStream): Peer {
  if (stream.status !== 200) throw new Error(`no WebSocket: ${JSON.stringify({ ...stream, connection: undefined })}`);
  return new Peer(stream.connection, "client", JSON.stringify(stream.headers));
}

/** A server of WebSockets in HTTP/2: its frames are Node's, what is said in its streams is a script's. */
export interface BridgedServer extends AsyncDisposable {
  readonly bridge: Bridge;
  readonly port: number;
}

/**
 * Starts a bridge whose server accepts every WebSocket.
 *
 * @param script gets the fields of the request as the peer's head, in JSON
 */
export async function startBridgedServer(
  script: (peer: Peer) => Promise<void> | void,
  { answer = {}, ...options }: { answer?: Opened } & Omit<NonNullable<BridgeOptions["server"]>, "forward"> = {},
): Promise<BridgedServer> {
  const server: RawServer = await startRawServer(async (connection) => {
    const head = await connection.readUntil("\n");
    await connection.write(`${JSON.stringify(answer)}\n`);
    await script(new Peer(connection, "server", head));
  }, { halfOpen: true });
  const bridge = await startBridge({ server: { ...options, forward: server.port } });
  return {
    bridge,
    port: bridge.server,
    async [Symbol.asyncDispose]() {
      await bridge[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** The text of what comes until the end. */
export async function textOf({ connection }: { connection: RawConnection }): Promise<string> {
  return Buffer.from(await connection.readAll()).toString("latin1");
}
