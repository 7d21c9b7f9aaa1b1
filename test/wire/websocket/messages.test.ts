import { Buffer } from "node:buffer";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpFlow, startProxy } from "../../../src/mod.ts";
import type { RawServer } from "../../support/raw_server.ts";
import { PATIENTLY } from "../http1_client.ts";
import { closed, echo, ended, flowOf, openPeer, type Peer, startPeerServer, told } from "./peers.ts";
import { close, type FrameSpec } from "./support.ts";

const MIB = 1024 * 1024;

let origin: RawServer;
let url = "";

beforeAll(async () => {
  origin = await startPeerServer(echo);
  url = `ws://127.0.0.1:${origin.port}/`;
});
afterAll(() => origin[Symbol.asyncDispose]());

const text = (payload: string): FrameSpec => ({ opcode: "text", payload });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function take(peer: Peer, count: number): Promise<string[]> {
  const seen: string[] = [];
  while (seen.length < count) seen.push(await peer.next());
  return seen;
}

describe("B67 permessage-deflate", () => {
  const fields = ["Sec-WebSocket-Extensions: permessage-deflate"];
  const deflated = (payload: string): FrameSpec => ({
    opcode: "text",
    rsv: 4,
    // A final block that is not taken for the end of the stream (RFC 7692 7.2.1).
    payload: deflateRawSync(payload, { finishFlush: 2 }).subarray(0, -4),
  });

  test("compressed messages pass to the byte, and hooks see what they say", async () => {
    await using server = await startPeerServer(echo, { fields });
    const seen: string[] = [];
    await using proxy = await startProxy({ addons: [{ websocketMessage: (_, { text }) => seen.push(text) }] });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`, fields);
    const sent = deflated("hello hello hello");
    await peer.send(sent);
    const { rsv, payload } = await peer.frame();
    expect(rsv).toBe(4);
    expect(payload.equals(Buffer.from(sent.payload as Uint8Array))).toBe(true);
    expect(seen).toEqual(["hello hello hello", "hello hello hello"]);
    await closed(peer);
  });

  test("a compressed frame without negotiation is an error: B74", async () => {
    await using proxy = await startProxy();
    await using peer = await openPeer(proxy, url, fields);
    await peer.send(deflated("hello"));
    expect(await peer.next()).toMatch(/^close 1002 /);
    expect((await ended(proxy)).error!.code).toBe("WS_RESERVED");
  });
});

describe("B68 fragmentation", () => {
  const fragments: FrameSpec[] = [
    { opcode: "text", payload: "one ", fin: false },
    { opcode: "more", payload: "two ", fin: false },
    { opcode: "more", payload: "three" },
  ];

  test.each([["with", [{ websocketMessage() {} }]], ["without", []]])("is kept, %s a hook", async (_, addons) => {
    await using proxy = await startProxy({ addons });
    await using peer = await openPeer(proxy, url);
    await peer.send(...fragments);
    expect(await take(peer, 3)).toEqual(['text+ "one "', 'more+ "two "', 'more "three"']);
    await closed(peer);
    expect(told(await ended(proxy))).toEqual(["client one two three", "server one two three"]);
  });

  test("is gone when the message is edited", async () => {
    await using proxy = await startProxy({
      addons: [{ websocketMessage: (_, message) => void (message.from === "server" && (message.data = "four")) }],
    });
    await using peer = await openPeer(proxy, url);
    await peer.send(...fragments);
    expect(await peer.next()).toBe('text "four"');
    await closed(peer);
  });

  test("without a hook a message passes while it arrives", async () => {
    await using proxy = await startProxy();
    await using peer = await openPeer(proxy, url);
    await peer.send(fragments[0]!);
    expect(await peer.next()).toBe('text+ "one "');
    expect(flowOf(proxy).websocket!.count).toBe(0);
    await peer.send(...fragments.slice(1));
    await take(peer, 2);
    await closed(peer);
  });
});

test("B69 ping and pong pass, are answered by the other side, and are no messages", async () => {
  await using proxy = await startProxy({ addons: [{ websocketMessage() {} }] });
  await using peer = await openPeer(proxy, url);
  await peer.send({ opcode: "ping", payload: "are you there?" });
  expect(await peer.next()).toBe('pong "are you there?"');
  await peer.send({ opcode: "pong", payload: "unasked" });
  expect(await peer.next()).toBe('pong "unasked"');
  await closed(peer);
  expect((await ended(proxy)).websocket!.count).toBe(0);
});

test("B69 a ping is answered by the side that it is meant for, and by nobody else", async () => {
  const heard: string[] = [];
  await using server = await startPeerServer(async (peer) => {
    await peer.send({ opcode: "ping", payload: "client?" });
    for (let i = 0; i < 3; i++) {
      const one = await peer.next();
      heard.push(one);
      if (one.startsWith("ping")) await peer.send({ opcode: "pong", payload: "server" });
      if (one.startsWith("close")) await peer.send(close(1000, "bye"));
    }
  });
  await using proxy = await startProxy({ addons: [{ websocketMessage() {} }] });
  await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
  expect(await peer.next()).toBe('ping "client?"');
  await peer.send({ opcode: "pong", payload: "client" }, { opcode: "ping", payload: "server?" });
  expect(await peer.next()).toBe('pong "server"');
  await closed(peer);
  expect(heard).toEqual(['pong "client"', 'ping "server?"', 'close 1000 "bye"']);
});

describe("B73 messages of an addon", () => {
  test("edit, drop, inject", async () => {
    await using proxy = await startProxy({
      addons: [{
        websocketMessage(flow, message) {
          expect(flow.websocket!.messages.at(-1)).toBe(message);
          if (message.from === "server") return;
          if (message.text === "edit") message.data = "edited";
          if (message.text === "drop") message.drop();
          if (message.text === "inject") {
            flow.websocket!.inject("client", "to the client");
            flow.websocket!.inject("server", Uint8Array.of(1, 2));
            expect(flow.websocket!.messages.at(-1)).toBe(message);
          }
        },
      }],
    });
    await using peer = await openPeer(proxy, url);
    await peer.send(text("edit"), text("drop"), text("inject"), text("last"));
    expect(await take(peer, 5)).toEqual([
      'text "to the client"',
      'text "edited"',
      'binary "\\u0001\\u0002"',
      'text "inject"',
      'text "last"',
    ]);
    await closed(peer);
    const flow = await ended(proxy);
    expect(told(flow).filter((it) => it.startsWith("client"))).toEqual([
      "client edited edited",
      "client drop dropped",
      "client \u0001\u0002 injected",
      "client inject",
      "client last",
    ]);
    expect(told(flow).filter((it) => it.includes("injected"))).toEqual([
      "server to the client injected",
      "client \u0001\u0002 injected",
    ]);
  });

  test("from outside of a hook, and not when it is closed", async () => {
    await using proxy = await startProxy();
    await using peer = await openPeer(proxy, url);
    const { websocket } = flowOf(proxy);
    websocket!.inject("client", "psst");
    expect(await peer.next()).toBe('text "psst"');
    await closed(peer);
    await ended(proxy);
    expect(() => websocket!.inject("client", "psst")).toThrow("this WebSocket is closed");
    expect(() => websocket!.close()).toThrow("this WebSocket is closed");
  });

  test("from the handshake on", async () => {
    await using proxy = await startProxy({
      addons: [{ websocketHandshake: ({ websocket }) => void websocket!.inject("client", "welcome") }],
    });
    await using peer = await openPeer(proxy, url);
    expect(await peer.next()).toBe('text "welcome"');
    await closed(peer);
  });

  test("cannot be changed when they have passed", async () => {
    await using proxy = await startProxy();
    await using peer = await openPeer(proxy, url);
    await peer.send(text("x"));
    await peer.next();
    const [message] = flowOf(proxy).websocket!.messages;
    expect(() => message!.data = "y").toThrow("do it in the hook websocketMessage");
    await closed(peer);
  });

  test("a hook that takes its time holds up one side, not the other, and keeps the order", async () => {
    let go = () => {};
    const waiting = new Promise<void>((resolve) => go = resolve);
    await using proxy = await startProxy({
      addons: [{ websocketMessage: (_, { text }) => text === "slow" ? waiting : undefined }],
    });
    await using server = await startPeerServer(async (peer) => {
      await peer.send(text("unasked"));
      await echo(peer);
    });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
    await peer.send(text("slow"), text("quick"));
    expect(await peer.next()).toBe('text "unasked"');
    await sleep(50);
    go();
    expect(await take(peer, 2)).toEqual(['text "slow"', 'text "quick"']);
    await closed(peer);
  });

  test("an addon that comes later sees the next message", async () => {
    await using proxy = await startProxy();
    await using peer = await openPeer(proxy, url);
    await peer.send(text("one"));
    await peer.next();
    proxy.use({ websocketMessage: (_, message) => void (message.data = "edited") });
    await peer.send(text("two"));
    expect(await peer.next()).toBe('text "edited"');
    await closed(peer);
  });
});

describe("what is kept", () => {
  test("is the first of it, capture.maxBody bytes", async () => {
    await using proxy = await startProxy({ capture: { maxBody: 25 } });
    await using peer = await openPeer(proxy, url);
    for (let i = 0; i < 5; i++) {
      await peer.send(text("0123456789"));
      await peer.next();
    }
    await closed(peer);
    const flow = await ended(proxy);
    expect(told(flow)).toEqual(["client 0123456789", "server 0123456789", "client 01234 truncated"]);
    expect([flow.websocket!.omitted, flow.websocket!.count]).toEqual([7, 10]);
    expect(proxy.flows.summary()).toContain("10 messages");
  });

  test("is the same where a hook looks at every message as a whole", async () => {
    const seen: string[] = [];
    await using proxy = await startProxy({
      capture: { maxBody: 25 },
      addons: [{
        websocketMessage(flow, message) {
          expect(flow.websocket!.messages.at(-1)).toBe(message);
          seen.push(message.text);
        },
      }],
    });
    await using peer = await openPeer(proxy, url);
    for (let i = 0; i < 5; i++) {
      await peer.send(text("0123456789"));
      await peer.next();
    }
    await closed(peer);
    const flow = await ended(proxy);
    expect(told(flow)).toEqual(["client 0123456789", "server 0123456789", "client 01234 truncated"]);
    expect([flow.websocket!.omitted, seen.length, new Set(seen).size]).toEqual([7, 10, 1]);
  });

  test("a message of more than 16 MiB passes, and its hook can only look", async () => {
    let seen: HttpFlow["websocket"];
    let length = 0;
    await using proxy = await startProxy({
      addons: [{
        websocketMessage({ websocket }, message) {
          seen = websocket;
          if (message.from === "server") return;
          length = message.data.length;
          expect([message.size, message.truncated]).toEqual([20 * MIB, true]);
          expect(() => message.drop()).toThrow("was too long to be held");
        },
      }],
    });
    await using peer = await openPeer(proxy, url);
    const sending = peer.send({ opcode: "binary", payload: Buffer.alloc(20 * MIB, 7) });
    const { payload } = await peer.frame();
    await sending;
    expect(payload.length).toBe(20 * MIB);
    expect(length).toBe(16 * MIB);
    await closed(peer);
    await ended(proxy);
    expect(seen!.count).toBe(2);
  });
});

describe("back-pressure", () => {
  /** Sends until the connection takes no more for a while; how many bytes that were. */
  async function flood(peer: Peer): Promise<number> {
    const piece: FrameSpec = { opcode: "binary", payload: Buffer.alloc(MIB) };
    for (let sent = 0; sent < 200; sent++) {
      if (await Promise.race([peer.send(piece), sleep(500).then(() => "full")]) === "full") return sent * MIB;
    }
    return Infinity;
  }

  test.each([["with", [{ websocketMessage() {} }]], ["without", []]])(
    "a client that floods a server which does not read has to wait, %s a hook",
    async (_, addons) => {
      let release = () => {};
      const reads = new Promise<void>((resolve) => release = resolve);
      await using server = await startPeerServer(async (peer) => {
        peer.connection.socket.pause();
        await reads;
        peer.connection.socket.resume();
        await peer.connection.closed;
      });
      await using proxy = await startProxy({ capture: { maxBody: 1000 }, addons });
      await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
      expect(await flood(peer)).toBeLessThan(100 * MIB);
      const { count } = flowOf(proxy).websocket!;
      release();
      await expect.poll(() => flowOf(proxy).websocket!.count, PATIENTLY).toBeGreaterThan(count);
    },
  );

  test("a server that floods a client which does not read has to wait", async () => {
    const flooded = Promise.withResolvers<number>();
    await using server = await startPeerServer(async (peer) => {
      flooded.resolve(await flood(peer));
      await peer.connection.closed;
    });
    await using proxy = await startProxy({ capture: { maxBody: 1000 } });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
    peer.connection.socket.pause();
    expect(await flooded.promise).toBeLessThan(100 * MIB);
    const { count } = flowOf(proxy).websocket!;
    peer.connection.socket.resume();
    await expect.poll(() => flowOf(proxy).websocket!.count, PATIENTLY).toBeGreaterThan(count);
  });

  test("a client that sends on while a hook holds its message has to wait", async () => {
    let go = () => {};
    const waiting = new Promise<void>((resolve) => go = resolve);
    await using server = await startPeerServer(async (peer) => {
      await peer.connection.closed;
    });
    await using proxy = await startProxy({
      capture: { maxBody: 1000 },
      addons: [{ websocketMessage: () => waiting }],
    });
    await using peer = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
    expect(await flood(peer)).toBeLessThan(100 * MIB);
    expect(flowOf(proxy).websocket!.count).toBe(1);
    go();
    await expect.poll(() => flowOf(proxy).websocket!.count, PATIENTLY).toBeGreaterThan(5);
  });
});
