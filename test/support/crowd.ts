/**
 * A crowd of clients: connections of every kind, each stopped in the middle of what it does, and the servers that they need.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Proxy, ProxyOptions } from "../../src/mod.ts";
import { testCa } from "./certificates.ts";
import type { RawConnection } from "./raw_connection.ts";
import { connectRaw } from "./raw_client.ts";
import { startRawServer } from "./raw_server.ts";

/** The servers, and the clients that have come. */
export interface Crowd extends AsyncDisposable {
  /** What the proxy must be started with. */
  readonly options: ProxyOptions;
  /** The connections that clients have to the proxy. */
  readonly clients: readonly { readonly kind: string; readonly connection: RawConnection }[];
  /** Opens so many connections of every kind (or of these kinds), and resolves when each is where it shall be. */
  come(proxy: Proxy, count: number, kinds?: readonly string[]): Promise<void>;
}

/** Where the servers are, and who has reached them. */
interface Place {
  /** Speaks HTTP, and WebSocket. */
  readonly origin: string;
  /** Sends everything back. */
  readonly echo: number;
  readonly proxy: Proxy;
  /** Resolves when a server has got the head of a request for this path, or a proxy that never answers a CONNECT for this name. */
  reached(what: string): Promise<void>;
}

/** Gets the connection to where it shall be; gives another one where TLS is put on it. */
type Kind = (client: RawConnection, place: Place, path: string) => Promise<RawConnection | void>;

const KINDS: Readonly<Record<string, Kind>> = {
  "idle without a word": async () => {},
  "idle after an answer": async (client, { origin }, path) => {
    await client.write(get(`${origin}/ok${path}`));
    await client.readUntil("ok");
  },
  "in the middle of a head": async (client) => await client.write("GET http://127.0.0.1/ HTTP/1.1\r\nHo"),
  "in the middle of a request": async (client, { origin, reached }, path) => {
    await client.write(post(`${origin}/never${path}`, "Content-Length: 8\r\n", "half"));
    await reached(`/never${path}`);
  },
  "in the middle of a response": async (client, { origin }, path) => {
    await client.write(get(`${origin}/half${path}`));
    await client.readUntil("half");
  },
  "waiting for an answer": async (client, { origin, reached }, path) => {
    await client.write(get(`${origin}/never${path}`));
    await reached(`/never${path}`);
  },
  "waiting for 100 Continue": async (client, { origin, reached }, path) => {
    await client.write(post(`${origin}/never${path}`, "Content-Length: 8\r\nExpect: 100-continue\r\n"));
    await reached(`/never${path}`);
  },
  "waiting for a slow connect": async (client, { reached }, path) => {
    const name = `${path.slice(1)}.stuck.test`;
    await client.write(get(`http://${name}/`));
    await reached(name);
  },
  "reading events": async (client, { origin }, path) => {
    await client.write(get(`${origin}/events${path}`));
    await client.readUntil("data: 1\n\n");
  },
  "in a WebSocket": async (client, { origin }, path) => {
    const key = Buffer.alloc(16).toString("base64");
    const fields =
      `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`;
    await client.write(get(`${origin}/socket${path}`, fields));
    await client.readHead();
    await client.write(Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69));
    await client.readBytes(4);
  },
  "in a tunnel without a word": async (client, { echo }) => await connect(client, `127.0.0.1:${echo}`),
  "in the middle of a ClientHello": async (client) => {
    await connect(client, "secure.test:443");
    await client.write("\x16\x03\x01\x02\x00\x01\x00\x01\xfc");
  },
  "idle in TLS": async (client, { proxy }) => {
    await connect(client, "secure.test:443");
    return await client.startTls({ ca: proxy.ca.cert, servername: "secure.test", ALPNProtocols: ["http/1.1"] });
  },
  "waiting for an answer in TLS": async (client, { proxy, reached }, path) => {
    await connect(client, "secure.test:443");
    const secure = await client.startTls({ ca: proxy.ca.cert, servername: "secure.test" });
    await secure.write(get(`/never${path}`));
    await reached(`/never${path}`);
    return secure;
  },
  "with streams of HTTP/2": async (client, { proxy, reached }, path) => {
    await connect(client, "secure.test:443");
    const secure = await client.startTls({ ca: proxy.ca.cert, servername: "secure.test", ALPNProtocols: ["h2"] });
    const paths = [1, 3, 5].map((stream) => `/never${path}/${stream}`);
    await secure.write(Buffer.concat([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      frame(4, 0, 0, Buffer.alloc(0)),
      ...paths.map((path, i) => frame(1, 5, 1 + 2 * i, fields(path))),
    ]));
    await Promise.all(paths.map(reached));
    return secure;
  },
  "in the middle of SOCKS": async (client) => {
    await client.write(Uint8Array.of(5, 1, 0));
    await client.readBytes(2);
    await client.write(Uint8Array.of(5, 1, 0, 3, 11, 0x73));
  },
  "in a raw conversation": async (client, { echo }) => {
    await connect(client, `127.0.0.1:${echo}`);
    await client.write("\0raw");
    await client.readBytes(4);
  },
};

/** The names of all kinds. */
export const CROWD_KINDS: readonly string[] = Object.keys(KINDS);

/** Starts the servers. */
export async function startCrowd(): Promise<Crowd> {
  const seen = new Set<string>();
  const waiting = new Map<string, () => void>();
  const saw = (what: string) => {
    seen.add(what);
    waiting.get(what)?.();
  };
  const serve = async (connection: RawConnection) => {
    for (let head = await connection.readHead(); head !== ""; head = await connection.readHead()) {
      const path = head.split(" ")[1]!;
      saw(path);
      const answer = Object.entries(ANSWERS).find(([start]) => path.startsWith(start))?.[1];
      if (answer !== undefined) await connection.write(answer);
      if (!path.startsWith("/ok")) await connection.closed;
    }
  };
  const quiet = (script: (connection: RawConnection) => Promise<void>) => (connection: RawConnection) =>
    script(connection).catch(() => {});
  const origin = await startRawServer(quiet(serve));
  const secure = await startRawServer(quiet(serve), { tls: testCa().issue(["secure.test"]) });
  const echo = await startRawServer((connection) => {
    connection.socket.pipe(connection.socket);
    return connection.closed;
  });
  const stuck = await startRawServer(quiet(async (connection) => {
    saw((await connection.readHead()).split(" ")[1]!.replace(/:\d+$/, ""));
    await connection.closed;
  }));
  const clients: { kind: string; connection: RawConnection }[] = [];
  let visits = 0;

  return {
    clients,
    options: {
      upstream: {
        ca: testCa().cert,
        hosts: { "secure.test": `127.0.0.1:${secure.port}` },
        proxy: ({ request }) => request.hostname.endsWith("stuck.test") ? `http://127.0.0.1:${stuck.port}` : undefined,
      },
    },
    async come(proxy, count, kinds = CROWD_KINDS) {
      const place: Place = {
        origin: `http://127.0.0.1:${origin.port}`,
        echo: echo.port,
        proxy,
        reached: (what) => seen.has(what) ? Promise.resolve() : new Promise((resolve) => waiting.set(what, resolve)),
      };
      const visit = async (kind: string) => {
        const connection = await connectRaw(proxy.port);
        const other = await KINDS[kind]!(connection, place, `/${++visits}`);
        clients.push({ kind, connection: other ?? connection });
      };
      // One of each kind at a time: a thousand at once would only wait in the queue of the listening port.
      for (let i = 0; i < count; i++) await Promise.all(kinds.map(visit));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map(({ connection }) => connection[Symbol.asyncDispose]()));
      await Promise.all([origin, secure, echo, stuck].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

const ANSWERS: Readonly<Record<string, string>> = {
  "/ok": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  "/half": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
  "/events":
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n",
  // The accept value for a key of zeros (RFC 6455 section 4.2.2), and a message "hi".
  "/socket": "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n\x81\x02hi",
};

function get(url: string, fields = ""): string {
  return `GET ${url} HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n`;
}

function post(url: string, fields: string, body = ""): string {
  return `POST ${url} HTTP/1.1\r\nHost: a.test\r\n${fields}\r\n${body}`;
}

async function connect(client: RawConnection, target: string): Promise<void> {
  await client.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  await client.readHead();
}

/** A frame of HTTP/2 (RFC 9113 section 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** GET, https, `:authority` and `:path`, the names from the static table (RFC 7541 appendix A). */
function fields(path: string): Buffer {
  const text = (index: number, value: string) => [Uint8Array.of(index, value.length), Buffer.from(value)];
  return Buffer.concat([Uint8Array.of(0x82, 0x87), ...text(0x01, "secure.test"), ...text(0x04, path)]);
}
