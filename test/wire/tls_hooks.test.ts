// The hooks of TLS and of connections that fail, on both sides.
import { Buffer } from "node:buffer";
import { beforeEach, describe, expect, test } from "vitest";
import { type Addon, type ClientHello, type HttpFlow, type Peer, respond, startProxy } from "../../src/mod.ts";
import { createCa, testCa } from "../support/certificates.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { getRequest, openTunnel, readText } from "./tunnel.ts";

/** What the hooks were told, in order. */
let seen: string[];
let peers: Map<string, Peer>;
let hellos: ClientHello[];
let watcher: Addon;

beforeEach(() => {
  seen = [];
  peers = new Map();
  hellos = [];
  const note = (name: string) => (peer: Peer) => {
    seen.push(name);
    peers.set(name, peer);
  };
  watcher = {
    name: "watcher",
    tlsClientHello: (hello) => {
      seen.push("tlsClientHello");
      hellos.push(hello);
    },
    tlsEstablished: (side, peer) => note(`tlsEstablished ${side}`)(peer),
    tlsFailed: (side, peer) => note(`tlsFailed ${side}`)(peer),
    serverConnect: note("serverConnect"),
    serverConnectError: note("serverConnectError"),
    serverDisconnect: note("serverDisconnect"),
    requestHeaders: () => void seen.push("requestHeaders"),
    response: () => void seen.push("response"),
    error: () => void seen.push("error"),
  };
});

/** GETs `https://shop.test/` through a proxy, in a tunnel in which the client trusts the proxy. */
async function visit(proxy: { port: number; ca: { cert: string } }, target = "shop.test:443"): Promise<string> {
  await using tunnel = await openTunnel(proxy as never, target);
  await using client = await tunnel.startTls({
    ca: proxy.ca.cert,
    servername: "shop.test",
    ALPNProtocols: ["http/1.1"],
  });
  await client.write(getRequest("/", "shop.test"));
  return await readText(client);
}

test("fire in order for a request over TLS on both sides", async () => {
  await using origin = await startOrigin(undefined, { tls: true });
  await using proxy = await startProxy({
    addons: [watcher],
    upstream: { ca: origin.ca, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
  });
  expect(await visit(proxy)).toMatch(/ok$/);
  expect(seen).toEqual([
    "tlsClientHello",
    "tlsEstablished client",
    "requestHeaders",
    "serverConnect",
    "tlsEstablished server",
    "response",
  ]);
  const flow = proxy.flows.first() as HttpFlow;
  expect(peers.get("tlsEstablished client")).toBe(flow.client);
  expect(peers.get("tlsEstablished server")).toBe(flow.server);
});

describe("tlsClientHello", () => {
  test("tells what the client says, and who it is", async () => {
    await using proxy = await startProxy({ addons: [watcher], defaultAction: respond({ body: "ok" }) });
    await visit(proxy);
    const [hello] = hellos;
    expect(hello).toMatchObject({ serverName: "shop.test", alpn: ["http/1.1"], version: 0x0303 });
    expect(hello!.cipherSuites).toContain(0x1301);
    expect(hello!.ja3).toMatch(/^[0-9a-f]{32}$/);
    expect(hello!.ja4).toMatch(/^t13d\d{4}h1_[0-9a-f]{12}_[0-9a-f]{12}$/);
    expect(hello!.client.tunnel).toBe("shop.test:443");
    const flow = proxy.flows.first() as HttpFlow;
    expect([flow.client.tls!.ja3, flow.client.tls!.ja4]).toEqual([hello!.ja3, hello!.ja4]);
  });

  test("that throws ends the connection; the proxy goes on", async () => {
    let angry = true;
    const proxy = await startProxy({
      addons: [watcher, {
        name: "bouncer",
        tlsClientHello: ({ serverName }) => {
          if (angry) throw new Error(`not ${serverName}`);
        },
      }],
      defaultAction: respond({ body: "ok" }),
    });
    await expect(visit(proxy)).rejects.toThrow();
    await expect.poll(() => seen).toEqual(["tlsClientHello", "tlsFailed client", "error"]);
    expect((proxy.flows.first() as HttpFlow).error).toMatchObject({ code: "HOOK_FAILED" });
    angry = false;
    expect(await visit(proxy)).toMatch(/ok$/);
    await expect(proxy.close()).rejects.toThrow(/hook tlsClientHello of addon "bouncer" threw: not shop\.test/);
  });
});

describe("tlsEstablished", () => {
  test("is waited for, on both sides", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    const order: string[] = [];
    await using proxy = await startProxy({
      addons: [{
        tlsEstablished: async (side) => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          order.push(side);
        },
        requestHeaders: () => void order.push("requestHeaders"),
        responseHeaders: () => void order.push("responseHeaders"),
      }],
      upstream: { ca: origin.ca, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    expect(await visit(proxy)).toMatch(/ok$/);
    expect(order).toEqual(["client", "requestHeaders", "server", "responseHeaders"]);
  });

  test.each(["client", "server"] as const)("that throws closes the connection: %s", async (bad) => {
    await using origin = await startOrigin(undefined, { tls: true });
    const proxy = await startProxy({
      addons: [watcher, {
        name: "bouncer",
        tlsEstablished: (side) => {
          if (side === bad) throw new Error("out");
        },
      }],
      upstream: { ca: origin.ca, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    const answer = await visit(proxy).catch((error: Error) => error.message);
    if (bad === "server") expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    await expect.poll(() => seen.includes("error")).toBe(true);
    expect((proxy.flows.first() as HttpFlow).error).toMatchObject({ code: "HOOK_FAILED" });
    expect(origin.requests).toEqual([]);
    expect(seen.includes("serverDisconnect")).toBe(bad === "server");
    await expect(proxy.close()).rejects.toThrow(/hook tlsEstablished of addon "bouncer" threw/);
  });

  test("while which the server hangs up: the flow fails, and soon", async () => {
    await using server = await startRawServer(() => {}, { tls: testCa().issue(["shop.test"]) });
    await using proxy = await startProxy({
      addons: [watcher, { tlsEstablished: () => new Promise((resolve) => setTimeout(resolve, 100)) }],
      upstream: { ca: testCa().cert, hosts: { "shop.test": `127.0.0.1:${server.port}` } },
    });
    const started = performance.now();
    expect(await visit(proxy)).toMatch(/^HTTP\/1\.1 502 /);
    expect(performance.now() - started).toBeLessThan(3000);
    expect((proxy.flows.first() as HttpFlow).error).toMatchObject({ code: "UPSTREAM_CLOSED" });
  });

  test("that never ends does not keep the proxy open", async () => {
    await using origin = await startOrigin(undefined, { tls: true });
    let asked = false;
    const proxy = await startProxy({
      addons: [{
        tlsEstablished: (side) => {
          asked ||= side === "server";
          return side === "server" ? new Promise(() => {}) : undefined;
        },
      }],
      upstream: { ca: origin.ca, hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    const answer = visit(proxy).catch(() => "");
    await expect.poll(() => asked).toBe(true);
    await proxy.close();
    expect(await answer).not.toContain("ok");
  });
});

describe("tlsFailed", () => {
  test("B47 the client rejects our certificate", async () => {
    await using proxy = await startProxy({ addons: [watcher] });
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    await expect(tunnel.startTls({ servername: "shop.test" })).rejects.toThrow();
    tunnel.socket.destroy();
    await expect.poll(() => seen.at(-1)).toBe("error");
    // Node and Bun look at the certificate when the handshake is over.
    expect(seen.filter((it) => it !== "tlsEstablished client")).toEqual([
      "tlsClientHello",
      "tlsFailed client",
      "error",
    ]);
    const { error, tunnel: where } = peers.get("tlsFailed client")!;
    expect(where).toBe("shop.test:443");
    expect(["TLS_CLIENT_REJECTED", "TLS_CLIENT_CLOSED"]).toContain(error!.code);
    expect(error!.message).toContain("proxy.ca.path");
  });

  test("what the client sends is no TLS", async () => {
    await using proxy = await startProxy({ addons: [watcher] });
    await using tunnel = await openTunnel(proxy, "shop.test:443");
    await tunnel.write("\x16\x03\x01\x00\x05hello");
    await tunnel.closed;
    await expect.poll(() => seen).toEqual(["tlsFailed client", "error"]);
    expect(peers.get("tlsFailed client")!.error).toMatchObject({ code: "NOT_TLS" });
  });

  test("B43 the server is not trusted", async () => {
    await using origin = await startOrigin(undefined, { tls: createCa("nobody").issue(["shop.test"]) });
    await using proxy = await startProxy({
      addons: [watcher],
      upstream: { hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    expect(await visit(proxy)).toMatch(/^HTTP\/1\.1 502 /);
    expect(seen.slice(2)).toEqual([
      "requestHeaders",
      "serverConnect",
      "tlsFailed server",
      "serverConnectError",
      "serverDisconnect",
      "error",
    ]);
    const server = peers.get("tlsFailed server")!;
    expect(server.error).toMatchObject({ code: "UPSTREAM_UNTRUSTED" });
    expect(server).toMatchObject({ address: "127.0.0.1", port: origin.port });
    expect((proxy.flows.first() as HttpFlow).server).toBe(server);
  });

  test("the server speaks no TLS, or hangs up in the handshake", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.readBytes(1);
      if (server.connections === 1) await connection.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    await using proxy = await startProxy({
      addons: [watcher],
      upstream: { hosts: { "shop.test": `127.0.0.1:${server.port}` } },
    });
    for (let i = 1; i <= 2; i++) {
      expect(await visit(proxy)).toMatch(/^HTTP\/1\.1 502 /);
      expect(seen.filter((it) => it === "tlsFailed server")).toHaveLength(i);
    }
  });

  test("that throws is reported, and changes nothing", async () => {
    await using origin = await startOrigin(undefined, { tls: createCa("nobody").issue(["shop.test"]) });
    const proxy = await startProxy({
      addons: [{
        name: "clumsy",
        tlsFailed: () => {
          throw new Error("oops");
        },
        serverConnectError: () => Promise.reject(new Error("oops too")),
      }, watcher],
      upstream: { hosts: { "shop.test": `127.0.0.1:${origin.port}` } },
    });
    expect(await visit(proxy)).toMatch(/^HTTP\/1\.1 502 /);
    expect((proxy.flows.first() as HttpFlow).error).toMatchObject({ code: "UPSTREAM_UNTRUSTED" });
    expect(seen).toContain("serverDisconnect");
    await expect(proxy.close()).rejects.toThrow(/hook tlsFailed of addon "clumsy" threw: oops/);
  });
});

describe("serverConnectError", () => {
  /** A port that nobody listens on. */
  async function closedPort(): Promise<number> {
    await using server = await startRawServer(() => {});
    return server.port;
  }

  test("fires when nobody listens; no TLS has failed", async () => {
    const port = await closedPort();
    await using proxy = await startProxy({ addons: [watcher] });
    for (const scheme of ["http", "https"]) {
      seen = [];
      await rawRequest(
        proxy.port,
        `GET ${scheme}://127.0.0.1:${port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      );
      expect(seen).toEqual(["requestHeaders", "serverConnect", "serverConnectError", "serverDisconnect", "error"]);
      expect(peers.get("serverConnectError")!.error).toMatchObject({ code: "UPSTREAM_REFUSED" });
    }
  });

  test("does not fire when the server fails later", async () => {
    await using server = await startRawServer(async (connection) => void await connection.readHead());
    await using proxy = await startProxy({ addons: [watcher] });
    await using client = await connectRaw(proxy.port);
    await client.write(`GET http://127.0.0.1:${server.port}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(Buffer.from(await client.readAll()).toString()).toMatch(/^HTTP\/1\.1 502 /);
    expect(seen).not.toContain("serverConnectError");
    expect(seen).toContain("serverDisconnect");
  });

  test("fires when a serverConnect hook throws", async () => {
    const proxy = await startProxy({
      addons: [watcher, {
        serverConnect: () => {
          throw new Error("not there");
        },
      }],
    });
    await rawRequest(proxy.port, getRequest("/", "shop.test"));
    expect(seen).toEqual(["requestHeaders", "serverConnect", "serverConnectError", "serverDisconnect", "error"]);
    await proxy.close().catch(() => {});
  });
});

test("nothing of this fires for plain connections", async () => {
  await using origin = await startOrigin();
  await using proxy = await startProxy({ addons: [watcher] });
  await rawRequest(proxy.port, `GET ${origin.url}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  expect(seen.filter((it) => it.startsWith("tls"))).toEqual([]);
});
