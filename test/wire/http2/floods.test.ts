// What a peer may not do without end (RFC 9113 section 10.5), and what an honest one may do as often as it likes.
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { type HttpFlow, type Proxy, respond, startProxy } from "../../../src/mod.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { PATIENTLY } from "../http1_client.ts";
import { FloodGuard } from "../../../src/wire/http2/flood_guard.ts";
import { proxyOf } from "./peers.ts";
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  HEADERS,
  PING,
  PRIORITY,
  pseudo,
  RawPeer,
  RST_STREAM,
  section,
  SETTINGS,
  uint32,
  WINDOW_UPDATE,
} from "./raw_peer.ts";

const CALM = "GOAWAY ENHANCE_YOUR_CALM";
const head = section(...pseudo());
const post = section(...pseudo("/", "POST"));

/** Answers nothing, so that a request is there until it is reset. */
function startSilent(): Promise<Proxy> {
  return startProxy({ defaultAction: () => new Promise<void>(() => {}), capture: { maxFlows: 10 } });
}

/** So many times the same, in one piece. */
function many(count: number, make: (i: number) => Uint8Array[]): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => make(i)).flat());
}

describe("ends with ENHANCE_YOUR_CALM", () => {
  const request = (i: number) => frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, head);
  test.each<[string, Buffer]>([
    [
      "a client that opens streams to reset them (CVE-2023-44487)",
      many(1200, (i) => [request(i), frame(RST_STREAM, 0, 2 * i + 1, uint32(8))]),
    ],
    [
      "a client that makes the proxy reset them (CVE-2025-8671)",
      many(1200, (i) => [request(i), frame(WINDOW_UPDATE, 0, 2 * i + 1, uint32(0))]),
    ],
    [
      "a client whose requests are malformed",
      many(1200, (i) => [frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, section([":path", "/"]))]),
    ],
    ["PING (CVE-2019-9512)", many(20_000, () => [frame(PING, 0, 0, "12345678")])],
    ["SETTINGS (CVE-2019-9515)", many(20_000, () => [frame(SETTINGS, 0, 0)])],
    ["acknowledgements of nothing", many(20_000, () => [frame(SETTINGS, ACK, 0), frame(PING, ACK, 0, "12345678")])],
    ["PRIORITY", many(20_000, () => [frame(PRIORITY, 0, 1, Buffer.alloc(5))])],
    [
      "DATA without content (CVE-2019-9518)",
      Buffer.concat([frame(HEADERS, END_HEADERS, 1, post), many(20_000, () => [frame(DATA, 0, 1)])]),
    ],
    ["frames of unknown types", many(20_000, () => [frame(99, 0, 0)])],
    [
      "resets of a stream that is over",
      Buffer.concat([request(0), many(20_000, () => [frame(RST_STREAM, 0, 1, uint32(8))])]),
    ],
    [
      "CONTINUATION without end (CVE-2024-27316)",
      Buffer.concat([frame(HEADERS, 0, 1, head), many(100, () => [frame(CONTINUATION, 0, 1, Buffer.alloc(16_000))])]),
    ],
    [
      "CONTINUATION without content",
      Buffer.concat([frame(HEADERS, 0, 1, head), many(1000, () => [frame(CONTINUATION, 0, 1)])]),
    ],
  ])("%s", async (_, bytes) => {
    await using proxy = await startSilent();
    await using client = await RawPeer.client(proxy);
    const sent = client.connection.write(bytes).catch(() => {});
    let verdict = await client.verdict();
    while (verdict.startsWith("RST_STREAM")) verdict = await client.verdict();
    expect(verdict).toBe(CALM);
    await client.connection.closed;
    await sent;
    await expect.poll(
      () => ([...proxy.flows] as HttpFlow[]).some(({ error }) => error?.code === "HTTP2_ENHANCE_YOUR_CALM"),
      PATIENTLY,
    ).toBe(true);
  });

  test("a client that asks and asks, and reads no answer", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ headers: { "x-large": "x".repeat(10_000) } }) });
    await using client = await RawPeer.client(proxy);
    client.connection.socket.pause();
    const sent = client.connection.write(many(5000, (i) => [request(i)])).catch(() => {});
    await expect.poll(
      () => ([...proxy.flows] as HttpFlow[]).some(({ error }) => error?.code === "HTTP2_ENHANCE_YOUR_CALM"),
      PATIENTLY,
    ).toBe(true);
    expect(proxy.flows.length).toBeLessThan(5000);
    client.connection.socket.resume();
    await client.connection.closed;
    await sent;
  });

  test("a server that pings without end", async () => {
    await using server = await startRawServer(async (connection) => {
      const peer = await RawPeer.server(connection);
      await peer.find(HEADERS);
      await connection.write(many(20_000, () => [frame(PING, 0, 0, "12345678")])).catch(() => {});
      await connection.closed;
    });
    await using proxy = await proxyOf(server);
    await using client = await RawPeer.client(proxy);
    await client.request(1);
    expect((await client.find(HEADERS)).fields!.slice(0, 2)).toEqual([":status", "502"]);
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("HTTP2_ENHANCE_YOUR_CALM");
  });

  test("a server that sends informational responses without end, while a hook is asked about the first", async () => {
    await using server = await startRawServer(async (connection) => {
      const peer = await RawPeer.server(connection);
      await peer.find(HEADERS);
      await connection.write(many(200, () => [frame(HEADERS, END_HEADERS, 1, section([":status", "103"]))]));
      expect(await peer.verdict()).toBe("RST_STREAM 1 ENHANCE_YOUR_CALM");
    });
    const answer = Promise.withResolvers<void>();
    await using proxy = await proxyOf(server, {
      addons: [{ informational: () => answer.promise }],
    });
    await using client = await RawPeer.client(proxy);
    await client.request(1);
    await expect.poll(() => (proxy.flows.first() as HttpFlow | undefined)?.error?.code, PATIENTLY).toBe(
      "HTTP2_ENHANCE_YOUR_CALM",
    );
    answer.resolve();
  });
});

describe("what is no flood", () => {
  test("two thousand requests over one connection", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: "ok" }), capture: { maxFlows: 10 } });
    await using client = await RawPeer.client(proxy);
    for (let i = 0; i < 2000; i += 100) {
      await client.send(many(100, (j) => [frame(HEADERS, END_STREAM | END_HEADERS, 2 * (i + j) + 1, head)]));
      for (let j = 0; j < 100; j++) expect((await client.find(HEADERS)).fields![1]).toBe("200");
    }
  });

  test("five hundred requests that are taken back", async () => {
    await using proxy = await startSilent();
    await using client = await RawPeer.client(proxy);
    await client.send(many(500, (i) => [
      frame(HEADERS, END_STREAM | END_HEADERS, 2 * i + 1, head),
      frame(RST_STREAM, 0, 2 * i + 1, uint32(8)),
    ]));
    await client.send(frame(PING, 0, 0, "12345678"));
    expect((await client.find(PING)).flags).toBe(ACK);
  });

  test("a ping that comes while a large body waits for a client with a large window", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ body: Buffer.alloc(20_000_000) }) });
    await using client = await RawPeer.client(proxy);
    const wide = Buffer.concat([Buffer.from([0, 4]), uint32(0x7fffffff)]);
    await client.send(frame(SETTINGS, 0, 0, wide), frame(WINDOW_UPDATE, 0, 0, uint32(0x7fff0000 - 65_535)));
    client.connection.socket.pause();
    await client.request(1);
    await expect.poll(() => proxy.flows.length, PATIENTLY).toBe(1);
    await client.send(frame(PING, 0, 0, "12345678"));
    // Time for the proxy to see it, while the body waits.
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.connection.socket.resume();
    let length = 0;
    let ponged = false;
    for (;;) {
      const seen = await client.find(DATA, PING);
      if (seen.type === PING) ponged = true;
      length += seen.type === DATA ? seen.payload.length : 0;
      if ((seen.flags & END_STREAM) !== 0 && seen.type === DATA) break;
    }
    expect([length, ponged]).toEqual([20_000_000, true]);
  });
});

test("what was used of an allowance comes back with time", async () => {
  const guard = new FloodGuard();
  const drain = (limit: number) => {
    let count = 0;
    try {
      for (; count < limit; count++) guard.reset();
    } catch {
      // Empty.
    }
    return count;
  };
  expect(drain(5000)).toBeGreaterThanOrEqual(1000);
  const started = performance.now();
  while (performance.now() - started < 200) await new Promise((resolve) => setTimeout(resolve, 10));
  const again = drain(5000);
  expect(again).toBeGreaterThanOrEqual(9);
  expect(again).toBeLessThan(1000);
});
