import { Buffer } from "node:buffer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { testCa } from "../../support/certificates.ts";
import { connectRaw } from "../../support/raw_client.ts";
import type { RawServer } from "../../support/raw_server.ts";
import { openTunnel } from "../tunnel.ts";
import {
  afterSwitch,
  closed,
  echo,
  ended,
  flowOf,
  handshake,
  openPeer,
  Peer,
  startPeerServer,
  told,
  watcher,
} from "./peers.ts";

let origin: RawServer;
let secure: RawServer;

beforeAll(async () => {
  origin = await startPeerServer(echo);
  secure = await startPeerServer(echo, { tls: testCa().issue(["127.0.0.1"]) });
});
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await secure[Symbol.asyncDispose]();
});

describe("B65 echo", () => {
  test("ws: text and binary, and every hook", async () => {
    const addon = watcher();
    await using proxy = await startProxy({ addons: [addon] });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${origin.port}/chat?room=1`);
    await peer.send({ opcode: "text", payload: "hello" });
    expect(await peer.next()).toBe('text "hello"');
    await peer.send({ opcode: "binary", payload: Uint8Array.of(0, 255) });
    expect(await peer.next()).toBe('binary "\\u0000ÿ"');
    expect(flowOf(proxy).done).toBe(false);
    await closed(peer);
    await ended(proxy);
    const flow = flowOf(proxy);
    expect(flow.request.url).toBe(`ws://127.0.0.1:${origin.port}/chat?room=1`);
    expect(flow.request.scheme).toBe("ws");
    expect(flow.response!.status).toBe(101);
    expect(flow.error).toBe(undefined);
    expect(flow.websocket!.messages.map(({ from, type, data }) => [from, type, Buffer.from(data).toString("hex")]))
      .toEqual([
        ["client", "text", "68656c6c6f"],
        ["server", "text", "68656c6c6f"],
        ["client", "binary", "00ff"],
        ["server", "binary", "00ff"],
      ]);
    expect(flow.websocket).toMatchObject({
      closeCode: 1000,
      closeReason: "bye",
      closedBy: "client",
      omitted: 0,
      count: 4,
    });
    expect(addon.seen).toEqual([
      "requestHeaders",
      "request",
      "responseHeaders",
      "websocketHandshake",
      "websocketMessage",
      "websocketMessage",
      "websocketMessage",
      "websocketMessage",
      "websocketEnd",
    ]);
    expect(proxy.flows.summary()).toMatch(
      /GET +ws:\/\/127\.0\.0\.1:\d+\/chat\?room=1 +101 +upstream +4 messages +\d+\n1 flow/,
    );
  });

  test("wss, in a tunnel", async () => {
    await using proxy = await startProxy({ upstream: { ca: testCa().cert } });
    const tunnel = await openTunnel(proxy, `127.0.0.1:${secure.port}`);
    await using connection = await tunnel.startTls({ ca: proxy.ca.cert, host: "127.0.0.1" });
    await connection.write(handshake("/", `127.0.0.1:${secure.port}`));
    const peer = await afterSwitch(connection);
    await peer.send({ opcode: "text", payload: "hello" });
    expect(await peer.next()).toBe('text "hello"');
    await peer.send({ opcode: "binary", payload: Uint8Array.of(0, 255) });
    expect(await peer.next()).toBe('binary "\\u0000ÿ"');
    await closed(peer);
    await ended(proxy);
    expect(flowOf(proxy).request.url).toBe(`wss://127.0.0.1:${secure.port}/`);
    expect(told(flowOf(proxy))).toEqual(["client hello", "server hello", "client \0\ufffd", "server \0\ufffd"]);
  });

  test("ws, in a tunnel", async () => {
    await using proxy = await startProxy();
    await using connection = await openTunnel(proxy, `127.0.0.1:${origin.port}`);
    await connection.write(handshake("/", `127.0.0.1:${origin.port}`));
    const peer = await afterSwitch(connection);
    await peer.send({ opcode: "text", payload: "hello" });
    expect(await peer.next()).toBe('text "hello"');
    await closed(peer);
    await ended(proxy);
    expect(flowOf(proxy).request.url).toBe(`ws://127.0.0.1:${origin.port}/`);
  });

  test("a client that names it by its own scheme", async () => {
    await using proxy = await startProxy();
    await using connection = await connectRaw(proxy.port);
    await connection.write(handshake(`ws://127.0.0.1:${origin.port}/x`, `127.0.0.1:${origin.port}`));
    const peer = await afterSwitch(connection);
    await closed(peer);
    await ended(proxy);
    expect(flowOf(proxy).request.url).toBe(`ws://127.0.0.1:${origin.port}/x`);
  });

  test("what comes together with the handshake is not lost", async () => {
    await using greeter = await startPeerServer(echo, { early: [{ opcode: "text", payload: "welcome" }] });
    // An addon takes its time between the 101 of the server and that of the client.
    const pause = () => new Promise((resolve) => setTimeout(resolve, 50));
    for (const addons of [[], [{ websocketHandshake: pause }]]) {
      await using proxy = await startProxy({ addons });
      await using connection = await connectRaw(proxy.port);
      const host = `127.0.0.1:${greeter.port}`;
      const first = new Peer(connection, "client", "");
      await connection.write(handshake(`http://${host}/`, host));
      await first.send({ opcode: "text", payload: "hasty" });
      const peer = await afterSwitch(connection);
      expect([await peer.next(), await peer.next()].sort()).toEqual(['text "hasty"', 'text "welcome"']);
      await closed(peer);
    }
  });
});
