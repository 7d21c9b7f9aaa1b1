import { Buffer } from "node:buffer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FlowResponse, respond, startProxy } from "../../../src/mod.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { type RawServer, startRawServer } from "../../support/raw_server.ts";
import { tempFolder } from "../../support/temp.ts";
import { answering, exchange, readResponse } from "../http1_client.ts";
import { closed, echo, ended, flowOf, handshake, openPeer, startPeerServer, watcher } from "./peers.ts";

let origin: RawServer;
let host = "";

beforeAll(async () => {
  origin = await startPeerServer(echo);
  host = `127.0.0.1:${origin.port}`;
});
afterAll(() => origin[Symbol.asyncDispose]());

/** Asks for a WebSocket at `host` and reads the answer. */
const ask = (port: number, to = host, fields: string[] = []) => exchange(port, handshake(`http://${to}/`, to, fields));

describe("what is sent on", () => {
  test("the handshake as it was, but for what concerns one connection", async () => {
    let seen = "";
    await using server = await startPeerServer((peer) => {
      seen = peer.head;
      return echo(peer);
    }, { fields: ["X-Answer: 1", "Keep-Alive: timeout=5", "Content-Length: 0"] });
    const to = `127.0.0.1:${server.port}`;
    await using proxy = await startProxy();
    await using peer = await openPeer(proxy, `ws://${to}/p?q`, [
      "Origin: http://a.test",
      "Proxy-Authorization: Basic eDp5",
      "Connection: keep-alive, X-Hop",
      "X-Hop: 1",
      "Sec-WebSocket-Extensions: foo, permessage-deflate; client_max_window_bits, bar; x=1",
    ]);
    expect(seen).toBe([
      "GET /p?q HTTP/1.1",
      `Host: ${to}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
      "Origin: http://a.test",
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
      "\r\n",
    ].join("\r\n"));
    expect(peer.head).toBe([
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
      "X-Answer: 1",
      "\r\n",
    ].join("\r\n"));
    await closed(peer);
    // The flow tells what the client has asked for.
    expect(flowOf(proxy).request.headers.get("sec-websocket-extensions")).toContain("foo");
  });

  test("what hooks have made of it, also another server", async () => {
    let seen = "";
    await using server = await startPeerServer((peer) => {
      seen = peer.head;
      return echo(peer);
    });
    await using proxy = await startProxy({
      addons: [{
        requestHeaders({ request }) {
          request.url = `http://127.0.0.1:${server.port}/other`;
          request.headers.set("X-Added", "1");
          request.headers.delete("Sec-WebSocket-Extensions");
        },
        websocketHandshake: ({ response }) => response!.headers.set("X-Added", "2"),
      }],
    });
    await using peer = await openPeer(proxy, `ws://${host}/`, ["Sec-WebSocket-Extensions: permessage-deflate"]);
    expect(seen).toMatch(/^GET \/other HTTP\/1\.1\r\n/);
    expect(seen).toContain(`\r\nHost: 127.0.0.1:${server.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`);
    expect(seen).toContain("\r\nX-Added: 1\r\n");
    expect(seen).not.toContain("Extensions");
    expect(peer.head).toContain("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
    expect(peer.head).toContain("\r\nX-Added: 2\r\n");
    await closed(peer);
    expect((await ended(proxy)).request.url).toBe(`ws://127.0.0.1:${server.port}/other`);
  });

  test("a request that hooks have made an ordinary one is one", async () => {
    await using server = await answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    await using proxy = await startProxy({
      addons: [{ requestHeaders: ({ request }) => request.headers.delete("Upgrade") }],
    });
    const { status, text } = await ask(proxy.port, `127.0.0.1:${server.port}`);
    expect([status, text]).toEqual([200, "ok"]);
    expect(Buffer.from(server.received).toString()).not.toMatch(/^(?:connection|upgrade):/im);
  });

  test("an upgrade to anything else is not passed on", async () => {
    await using server = await answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    await using proxy = await startProxy();
    const to = `127.0.0.1:${server.port}`;
    const { status } = await exchange(proxy.port, handshake(`http://${to}/`, to).replace("websocket", "h2c"));
    expect(status).toBe(200);
    expect(Buffer.from(server.received).toString()).not.toMatch(/^(?:connection|upgrade):/im);
    expect(flowOf(proxy).request.scheme).toBe("http");
  });
});

describe("B66 subprotocol", () => {
  test("is the server's choice", async () => {
    await using server = await startPeerServer(echo, { fields: ["Sec-WebSocket-Protocol: chat"] });
    await using proxy = await startProxy();
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`, ["Sec-WebSocket-Protocol: soap, chat"]);
    expect(Buffer.from(server.received).toString()).toContain("\r\nSec-WebSocket-Protocol: soap, chat\r\n");
    expect(peer.head).toContain("\r\nSec-WebSocket-Protocol: chat\r\n");
    await closed(peer);
  });

  test("that was not offered is refused", async () => {
    await using server = await startPeerServer(echo, { fields: ["Sec-WebSocket-Protocol: chat"] });
    await using proxy = await startProxy();
    const { status, text } = await ask(proxy.port, `127.0.0.1:${server.port}`, ["Sec-WebSocket-Protocol: soap"]);
    expect(status).toBe(502);
    expect(text).toContain('The server has chosen the subprotocol "chat", which was not offered');
    expect(flowOf(proxy).error!.code).toBe("WS_HANDSHAKE");
  });
});

describe("B67 permessage-deflate", () => {
  test.each([
    ["that was not offered", [], "permessage-deflate"],
    ["with a parameter that nobody knows", ["Sec-WebSocket-Extensions: permessage-deflate"], "permessage-deflate; x"],
    ["and one more that the proxy did not pass on", ["Sec-WebSocket-Extensions: foo"], "foo"],
  ])("an answer %s is refused", async (_, fields, answer) => {
    await using server = await startPeerServer(echo, { fields: [`Sec-WebSocket-Extensions: ${answer}`] });
    const addon = watcher();
    await using proxy = await startProxy({ addons: [addon] });
    const { status } = await ask(proxy.port, `127.0.0.1:${server.port}`, fields);
    expect(status).toBe(502);
    expect(flowOf(proxy).error).toMatchObject({ code: "WS_HANDSHAKE", status: 502 });
    expect(flowOf(proxy).websocket).toBe(undefined);
    expect(addon.seen).toEqual(["requestHeaders", "request", "error"]);
  });

  test("cannot be taken back", async () => {
    await using server = await startPeerServer(echo, { fields: ["Sec-WebSocket-Extensions: permessage-deflate"] });
    const proxy = await startProxy({
      addons: [{ websocketHandshake: ({ response }) => response!.headers.delete("Sec-WebSocket-Extensions") }],
    });
    const fields = ["Sec-WebSocket-Extensions: permessage-deflate"];
    const { status, text } = await ask(proxy.port, `127.0.0.1:${server.port}`, fields);
    expect(status).toBe(502);
    expect(text).toContain("Sec-WebSocket-Extensions of a 101 cannot be changed");
    await expect(proxy.close()).rejects.toThrow("requestHeaders");
  });
});

describe("B72 a refused handshake", () => {
  test("by the server is a response like any other, and the connection goes on", async () => {
    await using server = await answering(
      "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 4\r\n\r\nnope",
    );
    const addon = watcher();
    await using proxy = await startProxy({ addons: [addon] });
    await using connection = await connectRaw(proxy.port);
    const to = `127.0.0.1:${server.port}`;
    for (let turn = 0; turn < 2; turn++) {
      await connection.write(handshake(`http://${to}/`, to));
      const response = await readResponse(connection);
      expect([response.status, response.text, response.header("sec-websocket-version")]).toEqual([426, "nope", "13"]);
    }
    const flow = await ended(proxy);
    expect([flow.response!.status, flow.response!.text(), flow.websocket]).toEqual([426, "nope", undefined]);
    expect(flow.request.scheme).toBe("ws");
    expect(addon.seen.slice(0, 4)).toEqual(["requestHeaders", "request", "responseHeaders", "response"]);
    expect(addon.seen.length).toBe(8);
  });

  test("by a server that cannot be reached is a failure like any other", async () => {
    const server = await startRawServer(() => {});
    await server[Symbol.asyncDispose]();
    await using proxy = await startProxy();
    expect((await ask(proxy.port, `127.0.0.1:${server.port}`)).status).toBe(502);
    expect(flowOf(proxy).error!.code).toBe("UPSTREAM_REFUSED");
  });

  test.each([
    ["a wrong Sec-WebSocket-Accept", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x"],
    ["no Upgrade", "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
  ])("because of %s", async (_, fields) => {
    await using server = await answering(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`);
    await using proxy = await startProxy();
    expect((await ask(proxy.port, `127.0.0.1:${server.port}`)).status).toBe(502);
    expect(flowOf(proxy).error!.code).toBe("WS_HANDSHAKE");
  });

  test("by a rule never reaches the server", async () => {
    const before = origin.connections;
    await using proxy = await startProxy({ rules: [[{ scheme: "ws" }, respond({ status: 403, body: "no" })]] });
    const { status, text } = await ask(proxy.port);
    expect([status, text]).toEqual([403, "no"]);
    expect([flowOf(proxy).source, flowOf(proxy).websocket]).toEqual(["rule", undefined]);
    expect(origin.connections).toBe(before);
  });

  test.each(["responseHeaders", "websocketHandshake"] as const)("by an addon, in %s", async (hook) => {
    const addon = watcher();
    await using proxy = await startProxy({
      addons: [{
        [hook]: (flow: ReturnType<typeof flowOf>) => {
          if (flow.response!.status === 101) flow.response = FlowResponse.create({ status: 401, body: "who?" });
        },
      }, addon],
    });
    await using connection = await connectRaw(proxy.port);
    for (let turn = 0; turn < 2; turn++) {
      await connection.write(handshake(`http://${host}/`, host));
      const response = await readResponse(connection);
      expect([response.status, response.text]).toEqual([401, "who?"]);
    }
    const flow = await ended(proxy);
    expect([flow.source, flow.websocket, flow.original!.status]).toEqual(["addon", undefined, 101]);
    const handshakes = hook === "websocketHandshake" ? [hook] : [];
    expect(addon.seen.slice(addon.seen.length / 2)).toEqual([
      "requestHeaders",
      "request",
      "responseHeaders",
      ...handshakes,
      "response",
    ]);
  });

  test("by another status", async () => {
    await using proxy = await startProxy({
      addons: [{
        websocketHandshake: ({ response }) => Object.assign(response!, { status: 403, reason: "Forbidden" }),
      }],
    });
    const response = await ask(proxy.port);
    expect(response.status).toBe(403);
    expect(response.header("upgrade")).toBe(undefined);
  });

  test("by an addon that throws, or sets an error", async () => {
    const proxy = await startProxy({
      addons: [{
        name: "bad",
        websocketHandshake(flow) {
          if (flow.request.target === "/") throw new Error("no!");
          flow.error = { code: "DROPPED", message: "dropped" };
        },
      }],
    });
    const response = await ask(proxy.port);
    expect([response.status, response.text]).toEqual([502, expect.stringContaining("no!")]);
    expect(flowOf(proxy).websocket).toBe(undefined);
    await using connection = await connectRaw(proxy.port);
    await connection.write(handshake(`http://${host}/x`, host));
    await connection.closed;
    expect(connection.received.length).toBe(0);
    await expect(proxy.close()).rejects.toThrow('hook websocketHandshake of addon "bad" threw');
  });

  test("in replay mode, and reported", async () => {
    const before = origin.connections;
    await using folder = await tempFolder();
    const proxy = await startProxy({ tape: { path: folder.file("a.har"), mode: "replay" } });
    const { status, text } = await ask(proxy.port);
    expect(status).toBe(502);
    expect(text).toContain(`GET ws://${host}/`);
    expect(proxy.unmatched.length).toBe(1);
    await expect(proxy.close()).rejects.toThrow("a request matched nothing");
    expect(origin.connections).toBe(before);
  });
});
