// TLS with the proxy itself: an HTTPS proxy, and TLS in that TLS.
import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import { beforeEach, describe, expect, test } from "vitest";
import { type Addon, type HttpFlow, type LogEntry, type Peer, type Proxy, respond, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw } from "../support/raw_client.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { run } from "../support/run.ts";
import { hasCommand } from "../support/runtime.ts";
import { connectRequest, getRequest, readText } from "./tunnel.ts";

let log: LogEntry[];
let seen: string[];
let peers: Peer[];
let watcher: Addon;

beforeEach(() => {
  log = [];
  seen = [];
  peers = [];
  watcher = {
    log: (entry) => void log.push(entry),
    tlsEstablished: (side, peer) => {
      seen.push(`${side} ${peer.tls === undefined ? "proxy" : peer.tls.serverName}`);
    },
    tlsFailed: (side, peer) => {
      seen.push(`${side} failed`);
      peers.push(peer);
    },
  };
});

function answering(options: Parameters<typeof startProxy>[0] = {}): Promise<Proxy> {
  return startProxy({
    addons: [watcher],
    defaultAction: respond((flow: HttpFlow) => ({ body: flow.request.url })),
    ...options,
  });
}

function connectSecurely(proxy: Proxy, servername?: string): Promise<RawConnection> {
  return connectRaw(proxy.port, { ca: proxy.ca.cert, ...(servername === undefined ? {} : { servername }) });
}

describe("an HTTPS proxy", () => {
  test("has a certificate for the name or address by which it is asked", async () => {
    await using proxy = await answering();
    for (const [name, names] of [[undefined, "IP Address:127.0.0.1"], ["proxy.test", "DNS:proxy.test"]] as const) {
      await using client = await connectSecurely(proxy, name);
      expect((client.socket as TLSSocket).getPeerCertificate().subjectaltname).toBe(names);
      await client.write("GET http://shop.test/a HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n");
      expect(await readText(client)).toMatch(/http:\/\/shop\.test\/a$/);
      const { client: peer } = proxy.flows.last() as HttpFlow;
      expect(peer.tls).toBeUndefined();
      expect(peer.proxyTls!.serverName).toBe(name);
      expect(peer.proxyTls!.version).toMatch(/^TLSv1\.[23]$/);
      expect(peer.proxyTls!.ja4).toMatch(/^t13/);
    }
    expect(seen).toEqual(["client proxy", "client proxy"]);
  });

  test("opens tunnels: plain HTTP in TLS", async () => {
    await using proxy = await answering();
    await using client = await connectSecurely(proxy);
    await client.write(connectRequest("shop.test:80"));
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 200 /);
    await client.write(getRequest("/b", "shop.test"));
    expect(await readText(client)).toMatch(/http:\/\/shop\.test\/b$/);
  });

  test("opens tunnels: TLS in TLS", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using proxy = await startProxy({
      addons: [watcher],
      upstream: { ca: origin.ca, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    await using outer = await connectSecurely(proxy, "proxy.test");
    await outer.write(connectRequest("shop.test:443"));
    await outer.readHead();
    await using inner = await outer.startTls({ ca: proxy.ca.cert, servername: "shop.test" });
    await inner.write("GET /1 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    await inner.readUntil("ok");
    await inner.write(getRequest("/2", "shop.test"));
    expect(await readText(inner)).toMatch(/ok$/);
    expect(seen).toEqual(["client proxy", "client shop.test", "server shop.test"]);
    const { client, request } = proxy.flows.last() as HttpFlow;
    expect(request.url).toBe("https://shop.test/2");
    expect([client.tls!.serverName, client.proxyTls!.serverName]).toEqual(["shop.test", "proxy.test"]);
    expect(client.tunnel).toBe("shop.test:443");
  });

  test("opens tunnels: TLS in TLS, both by the same name", async () => {
    await using proxy = await answering();
    await using outer = await connectSecurely(proxy, "shop.test");
    await outer.write(connectRequest("shop.test:443"));
    await outer.readHead();
    await using inner = await outer.startTls({ ca: proxy.ca.cert, servername: "shop.test" });
    await inner.write(getRequest("/deep", "shop.test"));
    expect(await readText(inner)).toMatch(/https:\/\/shop\.test\/deep$/);
  });

  test("a large body through TLS in TLS, both ways", async () => {
    const size = 3_000_000;
    await using origin = await startOrigin(({ body }) => ({ body }), { tls: true });
    await using proxy = await startProxy({
      upstream: { ca: origin.ca, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    await using outer = await connectSecurely(proxy);
    await outer.write(connectRequest("shop.test:443"));
    await outer.readHead();
    await using inner = await outer.startTls({ ca: proxy.ca.cert, servername: "shop.test" });
    await inner.write(`POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`);
    const sending = inner.write(Buffer.alloc(size, "x"));
    await inner.readHead();
    expect((await inner.readAll()).length).toBe(size);
    await sending;
  });

  test("a client that means a server by the name in its hello and in Host", async () => {
    await using proxy = await answering();
    await using client = await connectSecurely(proxy, "shop.test");
    await client.write(getRequest("/direct", "shop.test"));
    expect(await readText(client)).toMatch(/https:\/\/shop\.test\/direct$/);
  });

  test("asks for authentication too", async () => {
    await using proxy = await answering({ auth: { username: "a", password: "b" } });
    const field = `Proxy-Authorization: Basic ${Buffer.from("a:b").toString("base64")}\r\n`;
    for (const [extra, status] of [["", 407], [field, 200]] as const) {
      await using client = await connectSecurely(proxy);
      await client.write(connectRequest("shop.test:80").replace(/\r\n$/, `${extra}\r\n`));
      expect(await client.readHead()).toContain(`HTTP/1.1 ${status} `);
    }
  });

  test("a client that does not trust it: tlsFailed, a line in the log, and no flow", async () => {
    await using proxy = await answering();
    await expect(connectRaw(proxy.port, { servername: "proxy.test" })).rejects.toThrow();
    await expect.poll(() => peers.length).toBe(1);
    expect(["TLS_CLIENT_REJECTED", "TLS_CLIENT_CLOSED"]).toContain(peers[0]!.error!.code);
    await expect.poll(() => log.map(({ message }) => message).join()).toMatch(
      /127\.0\.0\.1:\d+: The client .*proxy\.test/,
    );
    expect(proxy.flows.length).toBe(0);
  });

  test("closing the proxy ends TLS in TLS", async () => {
    const proxy = await answering();
    await using outer = await connectSecurely(proxy);
    await outer.write(connectRequest("shop.test:443"));
    await outer.readHead();
    await using inner = await outer.startTls({ ca: proxy.ca.cert, servername: "shop.test" });
    await inner.write("GET /1 HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    await inner.readUntil("https://shop.test/1");
    const started = performance.now();
    await proxy.close();
    expect(performance.now() - started).toBeLessThan(10_000);
    await inner.closed;
  });

  test.runIf(hasCommand("curl"))("curl --proxy https://, with and without TLS to the server", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    await using plain = await startOrigin();
    await using proxy = await startProxy({
      auth: { username: "tester", password: "sesame" },
      upstream: { ca: origin.ca },
    });
    for (const host of ["127.0.0.1", "localhost"]) {
      const { stdout, stderr } = await run("curl", [
        "-sS",
        "--proxy",
        `https://tester:sesame@${host}:${proxy.port}`,
        "--proxy-cacert",
        proxy.ca.path,
        "--cacert",
        proxy.ca.path,
        `${origin.url}/`,
        `${plain.url}/`,
      ], { env: { http_proxy: undefined, https_proxy: undefined } });
      expect([stdout, stderr]).toEqual(["okok", ""]);
    }
    const untrusting = await run("curl", ["-sS", "--proxy", `https://127.0.0.1:${proxy.port}`, `${plain.url}/`]);
    expect(untrusting.code).toBe(60);
  });
});

describe("slow clients", () => {
  const HELLO = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc";

  test("a hello that trickles in is cut off (timeouts.head), to the proxy and in a tunnel", async () => {
    await using proxy = await answering({ timeouts: { head: 300 } });
    for (const start of ["", connectRequest("shop.test:443")]) {
      await using client = await connectRaw(proxy.port);
      if (start !== "") {
        await client.write(start);
        await client.readHead();
      }
      await client.write(HELLO);
      const drip = setInterval(() => void client.write("\x03").catch(() => {}), 50);
      await client.closed;
      clearInterval(drip);
    }
    expect(peers.map(({ error }) => error!.code)).toEqual(["TLS_HELLO_TIMEOUT", "TLS_HELLO_TIMEOUT"]);
    await expect.poll(() => log.map(({ level }) => level)).toEqual(["warn", "warn"]);
  });

  test("a handshake that stops after the hello is cut off", async () => {
    await using proxy = await answering({ timeouts: { head: 300 } });
    const hello = await clientHello();
    await using client = await connectRaw(proxy.port);
    await client.write(hello);
    await client.closed;
    await expect.poll(() => peers.map(({ error }) => error!.code)).toEqual(["TLS_HANDSHAKE_TIMEOUT"]);
  });

  test("a head that trickles in behind TLS is a 408", async () => {
    await using proxy = await answering({ timeouts: { head: 300 } });
    await using client = await connectSecurely(proxy, "shop.test");
    await client.write("GET / HTTP/1.1\r\n");
    const drip = setInterval(() => void client.write("a").catch(() => {}), 50);
    expect(await readText(client)).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });
});

/** The first message of a client of this runtime. */
async function clientHello(): Promise<Uint8Array> {
  const { startRawServer } = await import("../support/raw_server.ts");
  const { connect } = await import("node:tls");
  const received = Promise.withResolvers<Uint8Array>();
  await using server = await startRawServer(async (connection) => {
    await connection.readBytes(5);
    await new Promise((resolve) => setTimeout(resolve, 20));
    received.resolve(connection.received);
  });
  const socket = connect({ host: "127.0.0.1", port: server.port, servername: "shop.test" });
  socket.on("error", () => {});
  const bytes = await received.promise;
  socket.destroy();
  return bytes;
}
