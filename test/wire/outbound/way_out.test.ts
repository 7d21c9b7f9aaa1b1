// B82, B83: a running proxy whose servers are behind another one.
import { describe, expect, test } from "vitest";
import { FlowResponse, type HttpFlow, type Peer, startProxy, tcp, type TcpFlow } from "../../../src/mod.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { startRelay } from "../socks/relay.ts";
import { echoServer } from "../tcp/support.ts";
import { openTunnel } from "../tunnel.ts";
import { closed, echo, openPeer, startPeerServer } from "../websocket/peers.ts";
import { get, lastFlow, startNext } from "./next_proxy.ts";

const auth = { username: "tester", password: "p:w/ö@#%" };

describe("B82 through another proxy", () => {
  test("HTTP with authentication, for http and https", async () => {
    await using next = await startNext({ auth });
    const servers: Peer[] = [];
    await using proxy = await startProxy({
      upstream: { proxy: next.url, ca: next.proxy.ca.cert },
      addons: [{ serverConnect: (server) => void servers.push({ ...server }) }],
    });
    expect(await get(proxy, "http://shop.test/a?b")).toBe("200 plain");
    expect(lastFlow(proxy).server).toMatchObject({ host: "shop.test", port: 80, localAddress: "127.0.0.1" });
    expect(await get(proxy, "https://secure.test/c")).toBe("200 secure");
    expect(next.passed).toEqual(["GET http://shop.test/a?b", "GET https://secure.test/c"]);
    expect(next.plain.requests[0]!.target).toBe("/a?b");

    const { server, timings } = lastFlow(proxy);
    const via = `http://127.0.0.1:${next.proxy.port}`;
    expect(server).toMatchObject({ host: "secure.test", port: 443, via, tls: { version: "TLSv1.3" } });
    expect(server!.address).toBeUndefined();
    expect(timings.tlsEnd).toBeGreaterThanOrEqual(timings.connectEnd!);
    expect(servers.map((it) => [it.host, it.port, it.via])).toEqual([["shop.test", 80, via], [
      "secure.test",
      443,
      via,
    ]]);
    // The credentials are for the proxy and nobody else.
    expect(JSON.stringify([...next.plain.requests, ...next.secure.requests])).not.toMatch(/proxy-authorization/i);
    expect(JSON.stringify([server, servers])).not.toContain("tester");
  });

  test("connections are kept, for each way of their own", async () => {
    await using next = await startNext();
    await using other = await startNext();
    let url: string | undefined = next.url;
    await using proxy = await startProxy({ upstream: { proxy: () => url } });
    for (const way of [next, next, other, other, next]) {
      url = way.url;
      expect(await get(proxy, "http://shop.test/")).toBe("200 plain");
    }
    expect([next.passed.length, other.passed.length]).toEqual([3, 2]);
    expect(new Set([...proxy.flows].map(({ server }) => server!.id)).size).toBe(2);
  });

  test.each(["socks5h", "socks5", "socks4a", "socks4"])("%s", async (scheme) => {
    await using server = await startNext();
    await using relay = await startRelay();
    await using proxy = await startProxy({ upstream: { proxy: `${scheme}://127.0.0.1:${relay.port}` } });
    expect(await get(proxy, `http://localhost:${server.plain.port}/`)).toBe("200 plain");
    expect(relay.asked).toMatchObject([{ version: Number(scheme[5]), port: server.plain.port }]);
    expect(lastFlow(proxy).server!.via).toBe(`${scheme}://127.0.0.1:${relay.port}`);
  });

  test("the SOCKS of another flowtape, with a name and a password", async () => {
    await using next = await startNext({ auth });
    await using proxy = await startProxy({
      upstream: { proxy: next.url.replace("http:", "socks5h:"), ca: next.proxy.ca.cert },
    });
    expect(await get(proxy, "http://shop.test/")).toBe("200 plain");
    expect(await get(proxy, "https://secure.test/")).toBe("200 secure");
    expect(next.passed).toEqual(["GET http://shop.test/", "GET https://secure.test/"]);
  });

  test("TLS to the proxy, whose certificate must be trusted", async () => {
    await using next = await startNext({ auth });
    const secure = next.url.replace("http:", "https:");
    await using proxy = await startProxy({ upstream: { proxy: secure, ca: next.proxy.ca.cert } });
    expect(await get(proxy, "http://shop.test/")).toBe("200 plain");
    expect(lastFlow(proxy).server).toMatchObject({ via: `https://127.0.0.1:${next.proxy.port}` });
    expect(lastFlow(proxy).server!.tls).toBeUndefined();

    await using careful = await startProxy({ upstream: { proxy: secure } });
    expect(await get(careful, "http://shop.test/")).toMatch(/^502 [^]*is not trusted[^]*NEXT_PROXY_UNREACHABLE/);
    await using careless = await startProxy({ upstream: { proxy: secure, verify: false } });
    expect(await get(careless, "http://shop.test/")).toBe("200 plain");
  });

  test("conversations of raw bytes, either side of which can be ended alone", async () => {
    await using next = await startNext({ auth });
    await using echo = await echoServer();
    const asked: string[] = [];
    await using proxy = await startProxy({
      upstream: {
        proxy: ({ request }: HttpFlow) => {
          asked.push(`${request.method} ${request.hostname}:${request.port}`);
          return next.url;
        },
      },
    });
    await using client = await openTunnel(proxy, `127.0.0.1:${echo.port}`);
    await client.write("PING\r\n");
    expect(await client.readUntil("\n")).toBe("PING\r\n");
    client.end("bye");
    expect(new TextDecoder().decode(await client.readAll())).toBe("bye");
    const [flow] = await proxy.waitFor(tcp()) as Iterable<TcpFlow>;
    expect(flow!.server).toMatchObject({ host: "127.0.0.1", port: echo.port });
    expect(flow!.server!.via).toBe(`http://127.0.0.1:${next.proxy.port}`);
    expect(asked).toEqual([`CONNECT 127.0.0.1:${echo.port}`]);
    await next.proxy.waitFor(tcp());
  });

  test("WebSockets", async () => {
    await using next = await startNext({ auth });
    await using server = await startPeerServer(echo);
    await using proxy = await startProxy({ upstream: { proxy: next.url } });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/chat`);
    await peer.send({ opcode: "text", payload: "hello" });
    expect(await peer.next()).toBe('text "hello"');
    await closed(peer);
    expect(lastFlow(proxy).server!.via).toBe(`http://127.0.0.1:${next.proxy.port}`);
    expect(next.passed).toEqual([`GET ws://127.0.0.1:${server.port}/chat`]);
  });

  test("a function is asked once for each flow", async () => {
    await using next = await startNext();
    const asked: string[] = [];
    await using proxy = await startProxy({
      upstream: {
        proxy: ({ request }: HttpFlow) => {
          asked.push(request.url);
          return request.hostname === "shop.test" ? next.url : undefined;
        },
      },
    });
    expect(await get(proxy, "http://shop.test/")).toBe("200 plain");
    expect(await get(proxy, `${next.plain.url}/direct`)).toBe("200 plain");
    expect(lastFlow(proxy).server!.via).toBeUndefined();
    expect(next.passed).toEqual(["GET http://shop.test/"]);
    expect(asked).toEqual(["http://shop.test/", `${next.plain.url}/direct`]);
  });

  test("what upstream.hosts names is reached directly", async () => {
    await using next = await startNext();
    await using proxy = await startProxy({
      upstream: { proxy: next.url, hosts: { "local.test": `127.0.0.1:${next.plain.port}` } },
    });
    expect(await get(proxy, "http://local.test/")).toBe("200 plain");
    expect(await get(proxy, "http://shop.test/")).toBe("200 plain");
    expect(next.passed).toEqual(["GET http://shop.test/"]);
  });

  test("serverConnect may lead the tunnel elsewhere", async () => {
    await using next = await startNext();
    await using proxy = await startProxy({
      upstream: { proxy: next.url },
      addons: [{ serverConnect: (server) => void Object.assign(server, { host: "127.0.0.1", port: next.plain.port }) }],
    });
    expect(await get(proxy, "http://nowhere.invalid/")).toBe("200 plain");
    expect(lastFlow(proxy).server).toMatchObject({ host: "127.0.0.1", port: next.plain.port });
    expect(next.plain.requests[0]!.header("host")).toBe("nowhere.invalid");
  });
});

describe("B83 what is reached without it", () => {
  test.each([
    ["a suffix", "http://api.shop.test/", ".shop.test", true],
    ["another suffix", "http://shop.test/", ".blog.test", false],
    ["a port", "http://127.0.0.1:PORT/", "127.0.0.1:PORT", true],
    ["another port", "http://127.0.0.1:PORT/", "127.0.0.1:1", false],
    ["a network", "http://127.0.0.1:PORT/", "10.0.0.0/8,127.0.0.0/8", true],
    ["another network", "http://127.0.0.1:PORT/", "10.0.0.0/8", false],
    ["a suffix of a name with a dot", "http://api.shop.test./", ".shop.test", true],
    ["a suffix that is only the end of a word", "http://workshop.test/", "shop.test", false],
    ["a suffix on a port", "http://api.shop.test:PORT/", "shop.test:PORT", true],
    ["a suffix on another port", "http://api.shop.test:PORT/", "shop.test:1", false],
    ["a rule with a dot at the end", "http://shop.test/", "shop.test.", true],
    ["an address of IPv6", "http://[::1]:PORT/", "[::1]:PORT", true],
    ["a network of IPv6", "http://[::1]:PORT/", "fd00::/8 ::/64", true],
    ["another network of IPv6", "http://[::1]:PORT/", "fd00::/8", false],
    ["a network of IPv4, for an address of it in IPv6", "http://[::ffff:127.0.0.1]:PORT/", "127.0.0.0/8", true],
    ["everything", "http://127.0.0.1:PORT/", "*", true],
    ["nothing", "http://127.0.0.1:PORT/", "", false],
  ])("%s", async (_, url, rules, direct) => {
    await using next = await startNext();
    const at = (text: string) => text.replace("PORT", String(next.plain.port));
    await using proxy = await startProxy({
      upstream: { proxy: next.url, noProxy: at(rules) },
      // The name leads nowhere without the other proxy: it shows where the connection would go.
      addons: [{ serverConnect: (server) => void (server.host = server.host.replace(/.*\.test$/, "127.0.0.1")) }],
    });
    await get(proxy, at(url));
    expect(lastFlow(proxy).server!.via).toBe(direct ? undefined : next.url);
    expect(next.proxy.flows.length).toBe(direct ? 0 : 1);
  });
});

describe("httpConnect for the CONNECT to another proxy", () => {
  test("is told from that of a client by flow.server, and may change its headers", async () => {
    const heads: string[] = [];
    await using server = await startRawServer(async (connection) => {
      heads.push(await connection.readHead());
      await connection.write("HTTP/1.1 200 OK\r\n\r\n");
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    });
    const seen: unknown[] = [];
    await using proxy = await startProxy({
      upstream: { proxy: `http://tester:secret@127.0.0.1:${server.port}` },
      addons: [{
        httpConnect({ request, server, client }) {
          if (server?.via === undefined) return;
          seen.push([request.method, request.hostname, request.port, request.headers.raw, server.via, client.address]);
          request.headers.set("X-Team", "blue");
        },
      }],
    });
    expect(await get(proxy, "http://[::1]:81/")).toBe("200 ok");
    const via = `http://127.0.0.1:${server.port}`;
    const passed = /^Via: (.*)\r$/m.exec(heads[0]!)?.[1];
    expect(passed).toMatch(/^1\.1 flowtape-\w+$/);
    expect(seen).toEqual([["CONNECT", "[::1]", 81, [["Host", "[::1]:81"], ["Via", passed]], via, "127.0.0.1"]]);
    expect(heads).toEqual([
      "CONNECT [::1]:81 HTTP/1.1\r\nHost: [::1]:81\r\nVia: " + `${passed}\r\nX-Team: blue\r\n` +
      `Proxy-Authorization: Basic ${btoa("tester:secret")}\r\n\r\n`,
    ]);
    expect(proxy.flows.length).toBe(1);
  });

  test("may give other credentials", async () => {
    await using next = await startNext({ auth: { username: "a", password: "b" } });
    await using proxy = await startProxy({
      upstream: { proxy: next.url.replace("a:b@", "c:d@") },
      addons: [{
        httpConnect: (flow) =>
          void (flow.server && flow.request.headers.set("Proxy-Authorization", `Basic ${btoa("a:b")}`)),
      }],
    });
    expect(await get(proxy, "http://shop.test/")).toBe("200 plain");
  });

  const REFUSED =
    /^502 .*an httpConnect hook answered the CONNECT to the proxy http:[^ ]* with 403[^]*NEXT_PROXY_REFUSED/;

  test.each<[string, (flow: HttpFlow) => void, RegExp]>([
    ["an error", (flow) => void (flow.error = { code: "MINE", message: "not today" }), /^502 .*not today[^]*MINE/],
    ["a response", (flow) => void (flow.response = FlowResponse.create({ status: 403 })), REFUSED],
  ])("may refuse: %s", async (_, refuse, page) => {
    await using next = await startNext();
    await using proxy = await startProxy({
      upstream: { proxy: next.url },
      addons: [{ httpConnect: (flow) => flow.server && refuse(flow) }],
    });
    expect(await get(proxy, "http://shop.test/")).toMatch(page);
    expect(next.proxy.flows.length).toBe(0);
  });
});
