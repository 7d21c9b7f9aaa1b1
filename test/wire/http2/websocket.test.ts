// B75: WebSockets in streams of HTTP/2 (RFC 8441), on either side of a running proxy.
import { Buffer } from "node:buffer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Addon, type HttpFlow, type Proxy, type ProxyOptions, respond } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";
import {
  closed,
  echo,
  ended,
  flowOf,
  openPeer,
  type Peer,
  startPeerServer,
  told,
  watcher,
} from "../websocket/peers.ts";
import { afterSwitch, handshake } from "../websocket/peers.ts";
import { openTunnel } from "../tunnel.ts";
import { close } from "../websocket/support.ts";
import { type Bridge, type BridgedServer, peerOf, type Reach, startBridge, startBridgedServer } from "./bridge.ts";
import { proxyOf } from "./peers.ts";

const URL_ = "wss://origin.test/chat?room=1";
const SECURE: Reach = { way: { tunnel: "origin.test:443", tls: true } };

let bridge: Bridge;
let http1: RawServer;
let http2: BridgedServer;

beforeAll(async () => {
  const tls = testCa().issue(["origin.test"]);
  bridge = await startBridge();
  http1 = await startPeerServer(echo, { tls });
  http2 = await startBridgedServer(echo, tls);
});
afterAll(async () => {
  await bridge[Symbol.asyncDispose]();
  await http1[Symbol.asyncDispose]();
  await http2[Symbol.asyncDispose]();
});

/** A server of HTTP/1.1 that gives the same answer to everything. */
function saying(answer: string): Promise<RawServer> {
  return startRawServer(async (connection) => {
    while (await connection.readHead().catch(() => undefined) !== undefined) await connection.write(answer);
  }, { tls: testCa().issue(["origin.test"]) });
}

/** A client of HTTP/1.1, in a tunnel. */
async function openInHttp1(proxy: Proxy): Promise<Peer> {
  const tunnel = await openTunnel(proxy, "origin.test:443");
  const secure = await tunnel.startTls({ ca: proxy.ca.cert, servername: "origin.test" });
  await secure.write(handshake("/chat?room=1", "origin.test"));
  return await afterSwitch(secure);
}

describe("B75 echo, and every hook, whatever each side speaks", () => {
  test.each([
    ["1.1", "1.1"],
    ["1.1", "2"],
    ["2", "1.1"],
    ["2", "2"],
  ])("client HTTP/%s, server HTTP/%s", async (client, server) => {
    const addon = watcher();
    await using proxy = await proxyOf(server === "2" ? http2 : http1, { addons: [addon] });
    await using peer = client === "1.1"
      ? await openInHttp1(proxy)
      : peerOf(await bridge.webSocket(proxy, URL_, SECURE));
    await peer.send({ opcode: "text", payload: "hello" });
    expect(await peer.next()).toBe('text "hello"');
    await peer.send({ opcode: "binary", payload: Uint8Array.of(0, 255) });
    expect(await peer.next()).toBe('binary "\\u0000ÿ"');
    await peer.send({ opcode: "ping", payload: "p" });
    expect(await peer.next()).toBe('pong "p"');
    await closed(peer);
    const flow = await ended(proxy);
    expect(flow.request).toMatchObject({ method: "GET", scheme: "wss", url: URL_, httpVersion: client });
    expect(flow.response).toMatchObject({ status: 101, reason: "Switching Protocols", httpVersion: server });
    expect(flow.error).toBeUndefined();
    expect(told(flow)).toEqual(["client hello", "server hello", "client \0\ufffd", "server \0\ufffd"]);
    expect(flow.websocket).toMatchObject({ closeCode: 1000, closeReason: "bye", closedBy: "client" });
    // What a hook sees does not depend on the version.
    const names = (headers: HttpFlow["request"]["headers"]) => headers.raw.map(([name]) => name.toLowerCase()).sort();
    expect(names(flow.request.headers)).toEqual(
      ["connection", "host", "sec-websocket-key", "sec-websocket-version", "upgrade"],
    );
    expect(flow.request.headers.get("upgrade")).toBe("websocket");
    expect(names(flow.response!.headers)).toEqual(
      expect.arrayContaining(["connection", "sec-websocket-accept", "upgrade"]),
    );
    expect(addon.seen).toEqual([
      "requestHeaders",
      "request",
      "responseHeaders",
      "websocketHandshake",
      ...Array(4).fill("websocketMessage"),
      "websocketEnd",
    ]);
  });
});

/** Proxies between a client of HTTP/2 and a server of either version. */
describe.each([["1.1", () => http1], ["2", () => http2]] as const)("B75 to a server of HTTP/%s", (version, origin) => {
  const start = (options?: ProxyOptions) => proxyOf(origin(), options);
  const open = async (proxy: Proxy, headers?: Record<string, string>) =>
    peerOf(await bridge.webSocket(proxy, URL_, SECURE, headers));

  test("messages are edited, dropped and injected", async () => {
    const addon: Addon = {
      websocketMessage({ websocket }) {
        const message = websocket!.messages.at(-1)!;
        if (message.from === "server") return;
        if (message.text === "drop") message.drop();
        else message.data = message.text.toUpperCase();
        if (message.text === "INJECT") websocket!.inject("client", "from the proxy");
      },
    };
    await using proxy = await start({ addons: [addon] });
    await using peer = await open(proxy);
    for (const payload of ["drop", "edit", "inject"]) await peer.send({ opcode: "text", payload });
    const seen = [await peer.next(), await peer.next(), await peer.next()];
    expect(seen.sort()).toEqual(['text "EDIT"', 'text "INJECT"', 'text "from the proxy"']);
    await closed(peer);
    const flow = await ended(proxy);
    expect(told(flow).slice(0, 2)).toEqual(["client drop dropped", "client EDIT edited"]);
  });

  test("many at once, over one connection of the client", async () => {
    await using proxy = await start();
    const peers = await Promise.all(Array.from({ length: 30 }, () => open(proxy)));
    await Promise.all(peers.map(async (peer, i) => {
      await peer.send({ opcode: "text", payload: `message ${i}` });
      expect(await peer.next()).toBe(`text "message ${i}"`);
      await closed(peer);
      await peer[Symbol.asyncDispose]();
    }));
    expect(proxy.flows.length).toBe(30);
    expect(new Set(([...proxy.flows] as HttpFlow[]).map(({ client }) => client.id)).size).toBe(1);
    const servers = new Set(([...proxy.flows] as HttpFlow[]).map(({ server }) => server!.id)).size;
    expect(servers).toBe(version === "2" ? 1 : 30);
  });

  test("a large message both ways, beyond every window", async () => {
    await using proxy = await start();
    await using peer = await open(proxy);
    const payload = Buffer.alloc(3_000_000, "0123456789");
    const sent = peer.send({ opcode: "binary", payload });
    const echoed = await peer.frame();
    await sent;
    expect(Buffer.compare(echoed.payload, payload)).toBe(0);
    await closed(peer);
  });

  test("an addon refuses", async () => {
    await using proxy = await start({
      addons: [{ websocketHandshake: (flow) => void (flow.response!.status = 403) }],
    });
    await using stream = await bridge.webSocket(proxy, URL_, SECURE);
    expect(stream.status).toBe(403);
    expect((await ended(proxy)).websocket).toBeUndefined();
  });

  test("a frame that is none: 1002, to both sides", async () => {
    await using proxy = await start();
    await using peer = await open(proxy);
    await peer.send({ opcode: 3 });
    expect((await peer.rest()).join()).toMatch(/^close 1002/);
    expect((await ended(proxy)).error!.code).toMatch(/^WS_/);
  });

  test("the client resets its stream: the server's connection is cut, and the flow has failed", async () => {
    await using proxy = await start();
    await using peer = await open(proxy);
    await peer.send({ opcode: "text", payload: "x" });
    await peer.next();
    peer.connection.reset();
    expect((await ended(proxy)).error!.code).toBe("CLIENT_ABORTED");
  });

  test("closing the proxy says goodbye: 1001", async () => {
    const proxy = await start();
    await using peer = await open(proxy);
    await peer.send({ opcode: "text", payload: "x" });
    await peer.next();
    const rest = peer.rest().then(async (seen) => {
      await peer.connection.closed;
      return seen;
    });
    const started = performance.now();
    await proxy.close().catch(() => {});
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(await rest).toEqual(['close 1001 "the proxy was closed"']);
  });
});

describe("B75 the handshake", () => {
  test("subprotocol and compression are what the two sides agree on", async () => {
    const fields = { "sec-websocket-protocol": "chat", "sec-websocket-extensions": "permessage-deflate" };
    await using server = await startBridgedServer(echo, {
      ...testCa().issue(["origin.test"]),
      answer: { headers: fields },
    });
    await using proxy = await proxyOf(server);
    await using stream = await bridge.webSocket(proxy, URL_, SECURE, {
      "sec-websocket-protocol": "soap, chat",
      "sec-websocket-extensions": "permessage-deflate; client_max_window_bits, x-unknown",
    });
    expect(stream.headers).toMatchObject(fields);
    const peer = peerOf(stream);
    const { deflateRawSync } = await import("node:zlib");
    const compressed = deflateRawSync("hello hello hello", { finishFlush: 2 }).subarray(0, -4);
    await peer.send({ opcode: "text", payload: compressed, rsv: 4 });
    expect(await peer.next()).toMatch(/^text\* /);
    await closed(peer);
    expect(told(await ended(proxy))).toEqual(["client hello hello hello", "server hello hello hello"]);
  });

  test("a server of HTTP/2 gets no fields of HTTP/1.1, and cookies in pieces", async () => {
    let head = "";
    await using server = await startBridgedServer((peer) => {
      head = peer.head;
      return echo(peer);
    }, testCa().issue(["origin.test"]));
    await using proxy = await proxyOf(server);
    await using peer = peerOf(
      await bridge.webSocket(proxy, URL_, SECURE, { cookie: "a=1; b=2", origin: "https://a.test" }),
    );
    await closed(peer);
    const { headers } = JSON.parse(head);
    expect(headers).toEqual({
      ":method": "CONNECT",
      ":protocol": "websocket",
      ":scheme": "https",
      ":authority": "origin.test",
      ":path": "/chat?room=1",
      "sec-websocket-version": "13",
      cookie: "a=1; b=2",
      origin: "https://a.test",
    });
  });

  test("a server of HTTP/1.1 gets a key, and one Cookie", async () => {
    let head = "";
    await using server = await startPeerServer((peer) => {
      head = peer.head;
      return echo(peer);
    }, { tls: testCa().issue(["origin.test"]) });
    await using proxy = await proxyOf(server);
    await using stream = await bridge.webSocket(proxy, URL_, SECURE, { cookie: "a=1; b=2" });
    expect(Object.keys(stream.headers!)).toEqual([":status"]);
    await closed(peerOf(stream));
    expect(head).toMatch(
      /^GET \/chat\?room=1 HTTP\/1\.1\r\nhost: origin\.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/,
    );
    expect(head).toMatch(/\r\nSec-WebSocket-Key: [+/0-9A-Za-z]{22}==\r\n/);
    expect(head).toContain("\r\ncookie: a=1; b=2\r\n");
  });

  test.each([["1.1"], ["2"]])("refused by a server of HTTP/%s: the client gets its answer", async (version) => {
    const tls = testCa().issue(["origin.test"]);
    await using server = version === "1.1"
      ? await saying("HTTP/1.1 403 No\r\nContent-Length: 4\r\nX-Why: because\r\n\r\nnope")
      : await startBridgedServer((peer) => void peer.connection.end("nope"), {
        ...tls,
        answer: { status: 403, headers: { "x-why": "because" } },
      });
    await using proxy = await proxyOf(server);
    await using stream = await bridge.webSocket(proxy, URL_, SECURE);
    expect([stream.status, stream.headers!["x-why"]]).toEqual([403, "because"]);
    expect(String(Buffer.from(await stream.connection.readAll()))).toBe("nope");
    const flow = await ended(proxy);
    expect([flow.response!.status, flow.response!.text(), flow.websocket]).toEqual([403, "nope", undefined]);
    // The connections are still of use.
    await using again = await bridge.webSocket(proxy, URL_, SECURE);
    expect(again.status).toBe(403);
  });

  test("a 200 of a server of HTTP/1.1, or of a rule, is no WebSocket: it would be one in HTTP/2", async () => {
    await using server = await saying("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage");
    await using proxy = await proxyOf(server, { rules: [["/rule", respond({ body: "rule" })]] });
    for (const [path, body] of [["/", "page"], ["/rule", "rule"]]) {
      await using stream = await bridge.webSocket(proxy, `wss://origin.test${path}`, SECURE);
      expect([stream.status, stream.headers!["x-flowtape-error"]]).toEqual([502, "WS_REFUSED"]);
      expect(String(Buffer.from(await stream.connection.readAll()))).toBe(body);
      expect((await ended(proxy)).response!.status).toBe(200);
    }
  });

  test("another :protocol is refused with 501, and the connection goes on", async () => {
    await using proxy = await proxyOf(http2);
    await using stream = await bridge.webSocket(proxy, URL_, SECURE, { ":protocol": "connect-udp" });
    expect(stream.status).toBe(501);
    expect(String(Buffer.from(await stream.connection.readAll()))).toContain('asks for :protocol "connect-udp"');
    expect((await ended(proxy)).error).toMatchObject({ code: "HTTP_METHOD", status: 501 });
    await using peer = peerOf(await bridge.webSocket(proxy, URL_, SECURE));
    await closed(peer);
  });

  test("without TLS, in a tunnel and with the proxy itself", async () => {
    await using server = await startPeerServer(echo);
    await using proxy = await proxyOf(server);
    for (const way of ["plain", "secure", { tunnel: "origin.test:80", tls: false }] as const) {
      await using peer = peerOf(await bridge.webSocket(proxy, "ws://origin.test/", { way }));
      await closed(peer);
      expect((await ended(proxy)).request.url).toBe("ws://origin.test/");
    }
  });
});

describe("B75 which connection the server gets", () => {
  test("one of HTTP/1.1, where its settings do not allow WebSockets in HTTP/2", async () => {
    await using server = await startPeerServer(echo, { tls: testCa().issue(["origin.test"]) });
    const { port } = server;
    await using http2 = await startBridgedServer(echo, {
      ...testCa().issue(["origin.test"]),
      connectProtocol: false,
      allowHTTP1: true,
    });
    // The bridge passes what comes in HTTP/1.1 on with a line before it, which no client of WebSockets would take.
    let second = false;
    await using proxy = await proxyOf(http2, {
      addons: [{
        serverConnect(peer) {
          if (second) peer.port = port;
          second = true;
        },
      }],
    });
    await using peer = peerOf(await bridge.webSocket(proxy, URL_, SECURE));
    await peer.send({ opcode: "text", payload: "x" });
    expect(await peer.next()).toBe('text "x"');
    await closed(peer);
    const flow = await ended(proxy);
    expect(flow.response!.httpVersion).toBe("1.1");
    expect(flow.server!.port).toBe(port);
  });

  test("one of HTTP/1.1 with upstream: { http2: false }", async () => {
    await using server = await startPeerServer(echo, { tls: testCa().issue(["origin.test"]) });
    await using proxy = await proxyOf(server, { upstream: { http2: false } });
    await closed(peerOf(await bridge.webSocket(proxy, URL_, SECURE)));
    expect((await ended(proxy)).response!.httpVersion).toBe("1.1");
  });

  test("none, where it speaks HTTP/2 alone and does not take WebSockets there: 502 that says so", async () => {
    await using server = await startBridgedServer(echo, { ...testCa().issue(["origin.test"]), connectProtocol: false });
    await using proxy = await proxyOf(server);
    await using stream = await bridge.webSocket(proxy, URL_, SECURE);
    expect(stream.status).toBe(502);
    expect((await ended(proxy)).error!.code).toBe("UPSTREAM_TLS");
  });

  test("the one that requests go over", async () => {
    await using proxy = await proxyOf(http2);
    await using request = await bridge.open(proxy, { ":path": "/" }, { ...SECURE, end: true });
    expect(request.status).toBe(200);
    await using peer = peerOf(await bridge.webSocket(proxy, URL_, SECURE));
    await closed(peer);
    const [first, second] = [...proxy.flows] as HttpFlow[];
    expect(second!.server!.id).toBe(first!.server!.id);
  });
});

describe("B75 endings", () => {
  test("the server resets its stream: the client's ends without a close frame, as over HTTP/1.1", async () => {
    await using server = await startBridgedServer(async (peer) => {
      await peer.frame();
      peer.connection.reset();
    }, testCa().issue(["origin.test"]));
    await using proxy = await proxyOf(server);
    await using peer = peerOf(await bridge.webSocket(proxy, URL_, SECURE));
    await peer.send({ opcode: "text", payload: "x" });
    expect(await peer.rest()).toEqual([]);
    expect((await ended(proxy)).error!.code).toBe("UPSTREAM_ABORTED");
  });

  test("the server closes with a code and a reason", async () => {
    await using server = await startBridgedServer(async (peer) => {
      await peer.send(close(4321, "enough"));
      expect(await peer.next()).toBe('close 4321 "enough"');
    }, testCa().issue(["origin.test"]));
    await using proxy = await proxyOf(server);
    await using peer = peerOf(await bridge.webSocket(proxy, URL_, SECURE));
    expect(await peer.next()).toBe('close 4321 "enough"');
    await peer.send(close(4321, "enough"));
    expect(await peer.rest()).toEqual([]);
    const { websocket, error } = await ended(proxy);
    expect(websocket).toMatchObject({ closeCode: 4321, closeReason: "enough", closedBy: "server" });
    expect(error).toBeUndefined();
  });

  test("an addon kills the flow: both streams are reset with CANCEL", async () => {
    await using server = await startBridgedServer(echo, testCa().issue(["origin.test"]));
    await using own = await startBridge();
    await using proxy = await proxyOf(server, { addons: [{ websocketMessage: (flow) => flow.kill() }] });
    await using peer = peerOf(await own.webSocket(proxy, URL_, SECURE));
    await peer.send({ opcode: "text", payload: "x" });
    await peer.connection.closed;
    await ended(proxy);
    expect(await own.codes()).toEqual([["client", 8]]);
    await expect.poll(() => server.bridge.codes()).toEqual([["server", 8]]);
  });

  test("GOAWAY of the server: the conversation goes on, the next one goes over another connection", async () => {
    await using server = await startBridgedServer(echo, testCa().issue(["origin.test"]));
    await using proxy = await proxyOf(server);
    await using first = peerOf(await bridge.webSocket(proxy, URL_, SECURE));
    await server.bridge.goAway();
    await using second = peerOf(await bridge.webSocket(proxy, URL_, SECURE));
    for (const peer of [first, second]) {
      await peer.send({ opcode: "text", payload: "still here" });
      expect(await peer.next()).toBe('text "still here"');
      await closed(peer);
    }
    expect(await server.bridge.sessions()).toBe(2);
  });

  test("GOAWAY of the client: the conversation goes on", async () => {
    await using own = await startBridge();
    await using proxy = await proxyOf(http2);
    await using peer = peerOf(await own.webSocket(proxy, URL_, SECURE));
    await own.leave();
    await peer.send({ opcode: "text", payload: "still here" });
    expect(await peer.next()).toBe('text "still here"');
    await closed(peer);
    expect((await ended(proxy)).error).toBeUndefined();
  });

  test("the server's connection is lost", async () => {
    await using server = await startBridgedServer(echo, testCa().issue(["origin.test"]));
    await using proxy = await proxyOf(server);
    await using peer = peerOf(await bridge.webSocket(proxy, URL_, SECURE));
    await peer.send({ opcode: "text", payload: "x" });
    await peer.next();
    await server.bridge.cut();
    expect(await peer.rest()).toEqual([]);
    expect((await ended(proxy)).error!.code).toBe("UPSTREAM_ABORTED");
  });

  test("both sides have ended their streams without an error", async () => {
    await using server = await startBridgedServer(echo, testCa().issue(["origin.test"]));
    await using own = await startBridge();
    await using proxy = await proxyOf(server);
    await using peer = peerOf(await own.webSocket(proxy, URL_, SECURE));
    await closed(peer);
    peer.connection.end();
    await peer.connection.closed;
    await ended(proxy);
    expect(await own.codes()).toEqual([["client", 0]]);
    await expect.poll(() => server.bridge.codes()).toEqual([["server", 0]]);
  });
});

test("B75 a client that does not read holds up the server, and no other stream", async () => {
  let sent = 0;
  await using server = await startBridgedServer(async (peer) => {
    if (!peer.head.includes("/flood")) return await echo(peer);
    const payload = Buffer.alloc(64 * 1024);
    for (; sent < 64 * 1024 * 1024; sent += payload.length) await peer.send({ opcode: "binary", payload });
  }, testCa().issue(["origin.test"]));
  await using proxy = await proxyOf(server, { capture: { maxBody: 1000 } });
  const stream = await bridge.webSocket(proxy, "wss://origin.test/flood", { ...SECURE, name: "slow" });
  stream.connection.socket.pause();
  let last = -1;
  // It stops somewhere, long before the end.
  await expect.poll(() => {
    const stands = sent === last && sent > 0;
    last = sent;
    return stands;
  }, { timeout: 10_000, interval: 300 }).toBe(true);
  expect(sent).toBeLessThan(32 * 1024 * 1024);
  await using other = peerOf(await bridge.webSocket(proxy, URL_, { ...SECURE, name: "slow" }));
  await closed(other);
  await stream[Symbol.asyncDispose]();
});

test("B75 the same over HTTP/1.1 is the same flow", async () => {
  await using server = await startPeerServer(echo);
  await using proxy = await proxyOf(server);
  await using inHttp1 = await openPeer(proxy, "ws://origin.test/");
  await closed(inHttp1);
  const one = await ended(proxy);
  await using inHttp2 = peerOf(await bridge.webSocket(proxy, "ws://origin.test/"));
  await closed(inHttp2);
  const two = await ended(proxy);
  const shape = ({ request, response, websocket }: HttpFlow) => ({
    request: { method: request.method, url: request.url, body: request.body.length, query: [...request.query] },
    response: { status: response!.status, reason: response!.reason },
    websocket: { code: websocket!.closeCode, by: websocket!.closedBy, count: websocket!.count },
  });
  expect(shape(two)).toEqual(shape(one));
  expect(flowOf(proxy).client.tls).toBeUndefined();
});
