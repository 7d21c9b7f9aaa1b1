/**
 * A process of its own that runs a proxy and two hundred clients that misbehave, most of them against servers that do, too. It
 * says nothing on its error stream and exits with 0, unless an error got away that would have ended the test runner.
 *
 * @module
 */
import process from "node:process";
import { type Addon, delay, respond, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { startRawServer } from "../support/raw_server.ts";
import { openTunnel } from "../wire/tunnel.ts";

let escaped = 0;
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error: unknown) => {
    escaped++;
    process.stderr.write(`${event}: ${error instanceof Error ? error.stack : error}\n`);
  });
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A server that misbehaves in as many ways as it has connections. */
const SERVERS: ((connection: RawConnection) => Promise<void> | void)[] = [
  (connection) => connection.reset(),
  () => {},
  async (connection) => {
    await connection.readHead();
    connection.reset();
  },
  async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    connection.reset();
  },
  async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  },
  async (connection) => {
    await connection.readHead();
    await connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(500_000)}`);
    await pause(20);
  },
  async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more than that");
  },
];

let connections = 0;
await using broken = await startRawServer(async (connection) => {
  // A client that does not even send a request is none of a server's failures.
  await Promise.resolve(SERVERS[connections++ % SERVERS.length]!(connection)).catch(() => {});
});
await using greedy = await startRawServer((connection) => connection.closed);
await using origin = await startOrigin();
await using secure = await startOrigin(undefined, { tls: true });

const addon: Addon = {
  name: "slow",
  requestHeaders: async () => await pause(1),
  response: async ({ request }) => {
    if (request.path === "/hook") throw new Error("a hook that fails");
    await pause(1);
  },
  httpConnect: async () => await pause(1),
};
const proxy = await startProxy({
  addons: [addon],
  rules: [["/late", delay(30, respond({ body: "late" }))], ["/dropped", "drop"]],
  timeouts: { head: 300, idle: 300, connect: 300 },
});

const bad = `http://127.0.0.1:${broken.port}`;
const head = (url: string, fields = "") => `GET ${url} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
type Client = (connection: RawConnection, i: number) => Promise<void> | void;

const CLIENTS: Client[] = [
  (client) => client.reset(),
  (client) => client.end(),
  async (client) => await client.write("GET "),
  async (client, i) => {
    await client.write(head(`${bad}/${i}`));
    await pause(i % 7);
    client.reset();
  },
  async (client, i) => {
    await client.write(head(`${bad}/${i}`));
    await Promise.race([client.readHead().catch(() => {}), pause(100)]);
  },
  async (client, i) => {
    await client.write(head(`${bad}/a${i}`).repeat(5));
    await pause(5);
    client.end();
  },
  async (client) => {
    await client.write(
      `POST http://127.0.0.1:${greedy.port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${
        "x".repeat(50_000)
      }`,
    );
    client.reset();
  },
  async (client) => {
    await client.write(
      `POST ${bad}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n${"x".repeat(20_000)}`,
    );
    await pause(3);
    client.reset();
  },
  async (client) => await client.write("\x16\x03\x01\x00\x05hello"),
  async (client) => await client.write("\0\0\0\0"),
  async (client) => {
    await client.write(head("http://a.test/late"));
    await pause(2);
    client.reset();
  },
  async (client) => {
    await client.write(head("http://a.test/dropped"));
    await client.closed;
  },
  async (client) => {
    await client.write(head(`${origin.url}/hook`));
    await client.readHead();
  },
  async (client, i) => {
    await client.write("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n");
    await pause(i % 3);
    client.reset();
  },
  async () => {
    await using tunnel = await openTunnel(proxy, "a.test:443");
    await tunnel.write("\x16\x03\x01\x02\x00\x01\x00\x01\xfc");
    tunnel.reset();
  },
  async () => {
    await using tunnel = await openTunnel(proxy, "a.test:443");
    await tunnel.startTls({ servername: "a.test" }).catch(() => {});
  },
  async (_, i) => {
    await using tunnel = await openTunnel(proxy, `127.0.0.1:${secure.port}`);
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: "a.test" });
    await client.write(head("/secure"));
    await pause(i % 5);
    client.reset();
  },
  async () => {
    await using tunnel = await openTunnel(proxy, `127.0.0.1:${broken.port}`);
    await using client = await tunnel.startTls({ ca: proxy.ca.cert, servername: "a.test" });
    await client.write(head("/broken"));
    await Promise.race([client.closed, client.readHead().catch(() => {})]);
  },
  async (client) => {
    const aborted = proxy.fetch(`${bad}/fetch`, { signal: AbortSignal.timeout(5) }).then((response) => response.text());
    await aborted.catch(() => {});
    client.end();
  },
  async (client) => {
    await client.write(head(`${origin.url}/good`));
    await client.readUntil("ok");
  },
];

async function visit(i: number): Promise<void> {
  await using connection = await connectRaw(proxy.port);
  // What a client that is cut off gets to hear is its own affair.
  await Promise.resolve(CLIENTS[i % CLIENTS.length]!(connection, i)).catch(() => {});
}

for (let wave = 0; wave < 4; wave++) {
  await Promise.all(Array.from({ length: 50 }, (_, i) => visit(wave * 50 + i)));
}
// It still works, and closing it in the middle of the next wave is no harm.
const response = await proxy.fetch(`${origin.url}/after`);
if (await response.text() !== "ok") throw new Error("the proxy does not answer any more");
const last = Array.from({ length: 50 }, (_, i) => visit(i).catch(() => {}));
await pause(5);
const closing = await proxy.close().then(() => "", (error: Error) => error.message);
if (!closing.includes('hook response of addon "slow" threw')) {
  throw new Error(`close() told something else: ${closing}`);
}
await Promise.all(last);
await pause(50);
console.log(`${proxy.flows.length} flows, ${escaped} errors got away`);
process.exitCode = escaped === 0 ? 0 : 1;
