// CONNECT in streams of HTTP/2 (RFC 9113 section 8.5): the proxy itself is spoken to in HTTP/2, with prior knowledge or over TLS.
import { Buffer } from "node:buffer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type HttpFlow,
  type Proxy,
  type ProxyOptions,
  respond,
  startProxy,
  tcp,
  type TcpFlow,
} from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { PATIENTLY } from "../http1_client.ts";
import { echoServer, greetingServer, pattern } from "../tcp/support.ts";
import { getRequest } from "../tunnel.ts";
import { type Bridge, type BridgedStream, type Reach, startBridge, textOf } from "./bridge.ts";

let bridge: Bridge;
let origin: Origin;

beforeAll(async () => {
  bridge = await startBridge();
  origin = await startOrigin(({ target, body }) => ({ body: `${target} ${body.length}` }), { tls: true });
});
afterAll(async () => {
  await bridge[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

const answering = (options: ProxyOptions = {}): Promise<Proxy> =>
  startProxy({ defaultAction: respond((flow: HttpFlow) => ({ body: flow.request.url })), ...options });

/** TLS in a tunnel. */
function secured(stream: BridgedStream, proxy: Proxy, servername: string, ALPNProtocols = ["http/1.1"]) {
  return stream.connection.startTls({ ca: proxy.ca.cert, servername, ALPNProtocols });
}

describe.each<[string, Reach]>([
  ["with prior knowledge", { way: "plain" }],
  ["over TLS to the proxy", { way: "secure" }],
])("a tunnel in a stream, %s", (_, reach) => {
  test("plain HTTP in it", async () => {
    const connects: HttpFlow[] = [];
    await using proxy = await answering({ addons: [{ httpConnect: (flow) => void connects.push(flow) }] });
    await using tunnel = await bridge.tunnel(proxy, "shop.test:80", reach, { "user-agent": "me" });
    expect(tunnel.status).toBe(200);
    await tunnel.connection.write(getRequest("/a", "shop.test"));
    expect(await textOf(tunnel)).toMatch(/http:\/\/shop\.test\/a$/);
    const [flow] = [...proxy.flows] as HttpFlow[];
    expect(flow!.client.tunnel).toBe("shop.test:80");
    expect(flow!.request.httpVersion).toBe("1.1");
    expect(connects.map(({ request }) => [request.method, request.url, request.httpVersion])).toEqual([
      ["CONNECT", "https://shop.test:80/", "2"],
    ]);
    expect(connects[0]!.request.headers.raw).toEqual([["host", "shop.test:80"], ["user-agent", "me"]]);
  });

  test("TLS in it, with HTTP/1.1 and with HTTP/2 in that", async () => {
    await using proxy = await startProxy({
      upstream: { ca: testCa().cert, hosts: { "localhost": `127.0.0.1:${origin.port}` } },
    });
    await using tunnel = await bridge.tunnel(proxy, `localhost:${origin.port}`, reach);
    await using secure = await secured(tunnel, proxy, "localhost");
    await secure.write(getRequest("/in-tls", "localhost"));
    expect(Buffer.from(await secure.readAll()).toString()).toMatch(/\/in-tls 0$/);
    const flow = proxy.flows.last() as HttpFlow;
    expect(flow.request.url).toBe(`https://localhost:${origin.port}/in-tls`);
    expect(flow.client.tls!.serverName).toBe("localhost");
    expect(flow.client.proxyTls?.alpn).toBe(reach.way === "secure" ? "h2" : undefined);

    await using other = await bridge.tunnel(proxy, `localhost:${origin.port}`, reach);
    await using http2 = await secured(other, proxy, "localhost", ["h2"]);
    await http2.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0`);
    const frame = await http2.readBytes(9);
    expect([frame[3], proxy.flows.length]).toEqual([4, 1]);
  });

  test("large bodies both ways, through TLS in it", async () => {
    await using proxy = await startProxy({
      upstream: { ca: testCa().cert, hosts: { "localhost": `127.0.0.1:${origin.port}` } },
      rules: [["/large", respond({ body: pattern(3_000_000) })]],
    });
    await using tunnel = await bridge.tunnel(proxy, "localhost:443", reach);
    await using secure = await secured(tunnel, proxy, "localhost");
    const body = pattern(3_000_000);
    const head = `POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n`;
    const sent = secure.write(Buffer.concat([Buffer.from(head), body]));
    await secure.readHead();
    expect(await secure.readUntil("000")).toBe("/upload 3000000".slice(0, 12));
    await secure.readBytes(3);
    await sent;
    await secure.write("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await secure.readHead();
    expect(Buffer.compare(Buffer.from(await secure.readBytes(3_000_000)), body)).toBe(0);
  });

  test("a hundred at once, over one connection", async () => {
    await using proxy = await answering();
    const own = { ...reach, name: "hundred" };
    await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      await using tunnel = await bridge.tunnel(proxy, `host${i}.test:80`, own);
      await tunnel.connection.write(getRequest("/", `host${i}.test`));
      expect(await textOf(tunnel)).toMatch(new RegExp(`http://host${i}\\.test/$`));
    }));
    expect(proxy.flows.length).toBe(100);
    expect(new Set(([...proxy.flows] as HttpFlow[]).map(({ client }) => client.id)).size).toBe(1);
  });

  test("what is neither HTTP nor TLS is relayed; either side can be ended alone", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy();
    await using tunnel = await bridge.tunnel(proxy, `127.0.0.1:${echo.port}`, reach);
    await tunnel.connection.write("PING\r\n");
    expect(await tunnel.connection.readUntil("\n")).toBe("PING\r\n");
    tunnel.connection.end("last words");
    expect(await textOf(tunnel)).toBe("last words");
    const [flow] = await proxy.waitFor(tcp()) as Iterable<TcpFlow>;
    expect([flow!.error, flow!.bytes]).toEqual([undefined, { client: 16, server: 16 }]);
  });

  test("a server that speaks first", async () => {
    await using server = await greetingServer();
    await using proxy = await startProxy();
    await using tunnel = await bridge.tunnel(proxy, `127.0.0.1:${server.port}`, reach);
    expect(await tunnel.connection.readUntil("\n")).toBe("+OK ready\r\n");
    await tunnel.connection.write("quit\r\n");
    expect(await tunnel.connection.readUntil("\n")).toBe("QUIT\r\n");
  });

  test("TLS that is passed through", async () => {
    await using proxy = await startProxy({
      https: { passthrough: { host: "origin.test" } },
      upstream: { hosts: { "origin.test": `127.0.0.1:${origin.port}` } },
    });
    await using tunnel = await bridge.tunnel(proxy, "origin.test:443", reach);
    await using secure = await tunnel.connection.startTls({ ca: origin.ca, servername: "localhost" });
    await secure.write(getRequest("/opaque", "localhost"));
    expect(Buffer.from(await secure.readAll()).toString()).toMatch(/\/opaque 0$/);
    expect([...proxy.flows].map(({ type }) => type)).toEqual(["tcp"]);
  });

  test("requests for other servers need no tunnel, in whatever scheme", async () => {
    await using proxy = await answering();
    for (const scheme of ["http", "https"]) {
      await using stream = await bridge.open(proxy, {
        ":method": "GET",
        ":scheme": scheme,
        ":authority": "shop.test",
        ":path": "/a?b",
      }, { ...reach, end: true });
      expect(await textOf(stream)).toBe(`${scheme}://shop.test/a?b`);
    }
    await using stars = await bridge.open(proxy, {
      ":method": "OPTIONS",
      ":scheme": reach.way === "secure" ? "http" : "https",
      ":authority": "shop.test",
      ":path": "*",
    }, { ...reach, end: true });
    expect(stars.status).toBe(200);
    expect((proxy.flows.last() as HttpFlow).request.target).toBe("*");
  });
});

describe("refusals", () => {
  test("by the hook httpConnect, and the connection goes on", async () => {
    await using proxy = await answering({
      addons: [{
        async httpConnect(flow) {
          await Promise.resolve();
          if (flow.request.hostname === "no.test") respond({ status: 403, body: "not this one" })(flow);
        },
      }],
    });
    await using refused = await bridge.tunnel(proxy, "no.test:443");
    expect([refused.status, await textOf(refused)]).toEqual([403, "not this one"]);
    await using tunnel = await bridge.tunnel(proxy, "yes.test:80");
    expect(tunnel.status).toBe(200);
    const [flow] = [...proxy.flows] as HttpFlow[];
    expect([flow!.request.method, flow!.response!.status, flow!.done]).toEqual(["CONNECT", 403, true]);
  });

  test("a hook that throws", async () => {
    const proxy = await answering({
      addons: [{
        httpConnect() {
          throw new Error("on purpose");
        },
      }],
    });
    await using refused = await bridge.tunnel(proxy, "a.test:443");
    expect([refused.status, refused.headers!["x-flowtape-error"]]).toEqual([502, "HOOK_FAILED"]);
    await expect(proxy.close()).rejects.toThrow("on purpose");
  });

  test("B48 a client that leaves while the hook is asked", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    await using own = await startBridge();
    await using proxy = await answering({
      addons: [{
        httpConnect() {
          asked.resolve();
          return answer.promise;
        },
      }],
    });
    const opening = own.tunnel(proxy, "a.test:443").catch(() => undefined);
    await asked.promise;
    await own[Symbol.asyncDispose]();
    await expect.poll(() => (proxy.flows.first() as HttpFlow | undefined)?.error?.code, PATIENTLY).toBe(
      "CLIENT_ABORTED",
    );
    answer.resolve();
    await opening;
  });

  test("without credentials: 407, and with them a tunnel", async () => {
    await using proxy = await answering({ auth: { username: "me", password: "secret" } });
    await using refused = await bridge.tunnel(proxy, "a.test:80");
    expect([refused.status, refused.headers!["proxy-authenticate"]]).toEqual([407, expect.stringContaining("Basic")]);
    const basic = `Basic ${Buffer.from("me:secret").toString("base64")}`;
    await using tunnel = await bridge.tunnel(proxy, "a.test:80", {}, { "proxy-authorization": basic });
    await tunnel.connection.write(getRequest("/", "a.test"));
    expect(await textOf(tunnel)).toMatch(/http:\/\/a\.test\/$/);
    expect((proxy.flows.last() as HttpFlow).client.username).toBe("me");
  });

  test.each(["shop.test", "shop.test:0"])("a target that is no host:port: %s", async (target) => {
    await using proxy = await answering();
    await using refused = await bridge.tunnel(proxy, target);
    expect([refused.status, refused.headers!["x-flowtape-error"]]).toEqual([400, "HTTP_TARGET"]);
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("HTTP_TARGET");
  });

  test("a tunnel back to the proxy itself: its requests are a loop", async () => {
    await using proxy = await startProxy();
    await using tunnel = await bridge.tunnel(proxy, `127.0.0.1:${proxy.port}`);
    await tunnel.connection.write(getRequest("/", `127.0.0.1:${proxy.port}`));
    expect(await textOf(tunnel)).toMatch(/^HTTP\/1\.1 508 /);
  });

  test("a client that does not trust the proxy: tlsFailed, and a flow", async () => {
    const failed: string[] = [];
    await using proxy = await answering({ addons: [{ tlsFailed: (side) => void failed.push(side) }] });
    await using tunnel = await bridge.tunnel(proxy, "shop.test:443");
    await expect(tunnel.connection.startTls({ ca: testCa().cert, servername: "shop.test" })).rejects.toThrow();
    await expect.poll(() => failed, PATIENTLY).toEqual(["client"]);
    await expect.poll(() => (proxy.flows.first() as HttpFlow | undefined)?.request.method, PATIENTLY).toBe("CONNECT");
  });
});

describe("endings", () => {
  test("B57 a client that resets its stream ends the server's connection", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy();
    await using tunnel = await bridge.tunnel(proxy, `127.0.0.1:${echo.port}`);
    await tunnel.connection.write("x\r\n");
    await tunnel.connection.readUntil("\n");
    tunnel.connection.reset();
    const [flow] = await proxy.waitFor(tcp()) as Iterable<TcpFlow>;
    expect(flow!.error!.code).toBe("CLIENT_ABORTED");
  });

  test("B57 a server that resets its connection resets the stream: CONNECT_ERROR", async () => {
    await using server = await startRawServer(async (connection) => {
      await connection.readUntil("\n");
      connection.reset();
    });
    await using own = await startBridge();
    await using proxy = await startProxy();
    await using tunnel = await own.tunnel(proxy, `127.0.0.1:${server.port}`);
    await tunnel.connection.write("x\r\n");
    await tunnel.connection.closed;
    const [flow] = await proxy.waitFor(tcp()) as Iterable<TcpFlow>;
    expect(flow!.error!.code).toBe("UPSTREAM_ABORTED");
    expect(await own.codes()).toEqual([["client", 10]]);
  });

  test("B57 drop resets a tunnel's stream alone, also under TLS", async () => {
    await using proxy = await startProxy({
      rules: [["https://drop.test/*", "drop"]],
      defaultAction: respond({ body: "ok" }),
    });
    await using tunnel = await bridge.tunnel(proxy, "drop.test:443");
    await using secure = await secured(tunnel, proxy, "drop.test");
    await secure.write(getRequest("/", "drop.test"));
    await tunnel.connection.closed;
    await using other = await bridge.tunnel(proxy, "other.test:80");
    await other.connection.write(getRequest("/", "other.test"));
    expect(await textOf(other)).toMatch(/ok$/);
  });

  test("GOAWAY of the client: its tunnels go on", async () => {
    await using own = await startBridge();
    await using proxy = await answering();
    await using tunnel = await own.tunnel(proxy, "a.test:80");
    await own.leave();
    await tunnel.connection.write(getRequest("/", "a.test"));
    expect(await textOf(tunnel)).toMatch(/http:\/\/a\.test\/$/);
  });

  test("closing the proxy ends tunnels of every kind, soon", async () => {
    await using echo = await echoServer();
    await using own = await startBridge();
    const proxy = await startProxy({
      defaultAction: () => new Promise<void>(() => {}),
      upstream: { hosts: { "silent.test": `127.0.0.1:${echo.port}` } },
    });
    const open = async (target: string) => (await own.tunnel(proxy, target)).connection;
    const silent = await open("silent.test:443");
    const relayed = await open(`127.0.0.1:${echo.port}`);
    await relayed.write("x\r\n");
    await relayed.readUntil("\n");
    const waiting = await open("waiting.test:80");
    await waiting.write(getRequest("/", "waiting.test"));
    const tunnel = await own.tunnel(proxy, "secure.test:443");
    await using secure = await secured(tunnel, proxy, "secure.test");
    await secure.write(getRequest("/", "secure.test"));
    await expect.poll(() => proxy.flows.length, PATIENTLY).toBe(3);
    const started = performance.now();
    await proxy.close().catch(() => {});
    expect(performance.now() - started).toBeLessThan(10_000);
    await Promise.all([silent, relayed, waiting, tunnel.connection].map((it) => it.closed));
  });

  test("B59 a client that does not read a tunnel holds up its server, and no other tunnel", async () => {
    let sent = 0;
    await using server = await startRawServer(async (connection) => {
      const piece = pattern(64 * 1024);
      await connection.readUntil("\n");
      for (; sent < 64 * 1024 * 1024; sent += piece.length) await connection.write(piece).catch(() => {});
    });
    await using proxy = await startProxy({
      capture: { maxBody: 1000 },
      rules: [["http://other.test/*", respond({ body: "ok" })]],
    });
    const slow = await bridge.tunnel(proxy, `127.0.0.1:${server.port}`, { name: "slow" });
    slow.connection.socket.pause();
    await slow.connection.write("go\r\n");
    let last = -1;
    await expect.poll(() => {
      const stands = sent === last && sent > 0;
      last = sent;
      return stands;
    }, { timeout: 10_000, interval: 300 }).toBe(true);
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    await using other = await bridge.tunnel(proxy, "other.test:80", { name: "slow" });
    await other.connection.write(getRequest("/", "other.test"));
    expect(await textOf(other)).toMatch(/ok$/);
    await slow[Symbol.asyncDispose]();
  });
});

test("B59 a server that does not read a tunnel holds up its client", async () => {
  await using server = await startRawServer(async (connection) => {
    connection.socket.pause();
    await connection.closed;
  });
  await using proxy = await startProxy({ capture: { maxBody: 1000 } });
  const tunnel = await bridge.tunnel(proxy, `127.0.0.1:${server.port}`, { name: "uploads" });
  let sent = 0;
  const piece = pattern(64 * 1024);
  const sending = (async () => {
    for (; sent < 128 * 1024 * 1024; sent += piece.length) await tunnel.connection.write(piece);
  })().catch(() => {});
  let last = -1;
  await expect.poll(() => {
    const stands = sent === last && sent > 0;
    last = sent;
    return stands;
  }, { timeout: 10_000, interval: 300 }).toBe(true);
  expect(sent).toBeLessThan(64 * 1024 * 1024);
  await tunnel[Symbol.asyncDispose]();
  await sending;
});

describe("a side that has ended", () => {
  test("at once: END_STREAM with the request for the tunnel", async () => {
    await using echo = await echoServer();
    await using proxy = await startProxy();
    const headers = { ":method": "CONNECT", ":authority": `127.0.0.1:${echo.port}` };
    await using tunnel = await bridge.open(proxy, headers, { end: true });
    expect([tunnel.status, await textOf(tunnel)]).toEqual([200, ""]);
  });

  test("gets everything that is sent before the other side ends, however late it is read", async () => {
    const body = pattern(3_000_000);
    await using server = await startRawServer(async (connection) => {
      await connection.readAll();
      await connection.write(body);
    }, { halfOpen: true });
    await using proxy = await startProxy();
    await using tunnel = await bridge.tunnel(proxy, `127.0.0.1:${server.port}`, { name: "late" });
    // This end of the bridge would end with the other, whatever is unread.
    tunnel.connection.socket.allowHalfOpen = true;
    tunnel.connection.socket.pause();
    tunnel.connection.end("go");
    await expect.poll(() => (proxy.flows.first() as TcpFlow | undefined)?.bytes.server ?? 0, PATIENTLY).toBeGreaterThan(
      0,
    );
    // Time for the end to come, were it not behind what waits.
    await new Promise((resolve) => setTimeout(resolve, 200));
    tunnel.connection.socket.resume();
    expect(Buffer.compare(Buffer.from(await tunnel.connection.readAll()), body)).toBe(0);
  });
});

test("clients that leave at any moment, in whatever way, leave nothing behind", async () => {
  await using echo = await echoServer();
  await using own = await startBridge();
  await using proxy = await startProxy({
    upstream: {
      ca: testCa().cert,
      hosts: { "localhost": `127.0.0.1:${origin.port}`, "nowhere.invalid": "127.0.0.1:1" },
    },
    rules: [["http://slow.test/*", () => new Promise<void>(() => {})]],
  });
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const targets = [`127.0.0.1:${echo.port}`, "localhost:443", "slow.test:80", "nowhere.invalid:443"];
  const visit = async (i: number) => {
    const stream = await own.tunnel(proxy, targets[i % targets.length]!, { name: `client ${i % 3}` });
    if (stream.status !== 200) return await stream[Symbol.asyncDispose]();
    const { connection } = stream;
    const hello = pattern(random(4) * 5000);
    if (i % 4 === 1) {
      const secure = await secured(stream, proxy, "localhost").catch(() => undefined);
      secure?.socket.on("error", () => {});
      secure?.write("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n").catch(() => {});
    } else if (i % 4 === 2) connection.write(getRequest("/", "slow.test")).catch(() => {});
    else if (hello.length > 0) connection.write(hello).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, random(20)));
    if (random(3) === 0) connection.reset();
    else if (random(2) === 0) connection.end();
    else connection.socket.destroy();
  };
  await Promise.all(Array.from({ length: 120 }, (_, i) => visit(i)));
  await own[Symbol.asyncDispose]();
  await expect.poll(() => [...proxy.flows].every((flow) => (flow as HttpFlow).done), PATIENTLY).toBe(true);
  await using late = await bridge.tunnel(proxy, `127.0.0.1:${echo.port}`);
  await late.connection.write("still here\r\n");
  expect(await late.connection.readUntil("\n")).toBe("still here\r\n");
});
