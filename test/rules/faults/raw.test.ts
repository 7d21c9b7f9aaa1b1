/**
 * Faults of raw conversations and of WebSockets.
 */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import {
  type ActionFunction,
  delay,
  fault,
  type FaultOptions,
  type Proxy,
  respond,
  startProxy,
  tcp,
  type TcpFlow,
  throttle,
} from "../../../src/mod.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { latin1 } from "../../wire/http1_client.ts";
import { echoServer, pattern } from "../../wire/tcp/support.ts";
import { openTunnel } from "../../wire/tunnel.ts";
import { close, type FrameSpec, OPCODES } from "../../wire/websocket/support.ts";
import { echo, ended, openPeer, startPeerServer } from "../../wire/websocket/peers.ts";

/** A proxy that knows one server, with one rule for it. */
async function conversing(action: ActionFunction) {
  const server = await echoServer();
  const proxy = await startProxy({
    upstream: { hosts: { "db.test": `127.0.0.1:${server.port}` } },
    rules: [[tcp("db.test:5432"), action]],
  });
  return {
    server,
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function flowOf(proxy: Proxy): Promise<TcpFlow> {
  const [flow] = await proxy.waitFor(tcp());
  return flow as TcpFlow;
}

async function rest(connection: RawConnection): Promise<{ bytes: number; end: "end" | "reset" }> {
  const end = await connection.readAll().then(() => "end" as const, () => "reset" as const);
  return { bytes: connection.received.length - CONNECTED, end };
}

const text = (payload: string): FrameSpec => ({ opcode: OPCODES.text, payload });

const CONNECTED = "HTTP/1.1 200 Connection Established\r\n\r\n".length;

describe("a raw conversation", () => {
  test.each([
    ["latency", fault("latency", { ms: 60 }), 55],
    ["latency both ways", fault("latency", { ms: 40, on: "both" }), 75],
    ["slice", fault("slice", { size: 30, variation: 5, ms: 15, seed: 1 }), 40],
    ["dribble: each piece waits for its share", fault("dribble", { chunks: 2, ms: 100 }), 45],
    ["slow-close", fault("slow-close", { ms: 60 }), 55],
    ["throttle", throttle({ bytesPerSecond: 2000, on: "response" }), 45],
    ["throttle of what is sent", throttle({ bytesPerSecond: 2000, on: "request" }), 45],
    ["delay before the server is connected to", delay({ min: 60, max: 61 }), 55],
  ] as [string, ActionFunction, number][])("%s", async (_, action, least) => {
    await using it = await conversing(action);
    const start = performance.now();
    await using client = await openTunnel(it.proxy, "db.test:5432");
    const sent = pattern(100);
    await client.write(sent);
    client.end();
    expect(Buffer.from(await client.readAll()).equals(sent)).toBe(true);
    expect(performance.now() - start).toBeGreaterThan(least);
    const flow = await flowOf(it.proxy);
    expect([flow.error, flow.bytes]).toEqual([undefined, { client: 100, server: 100 }]);
  });

  test.each([
    ["reset", {}, 0, "reset", "FAULT_RESET"],
    ["reset", { after: 40 }, 40, "reset", "FAULT_RESET"],
    ["reset", { ms: 20 }, 0, "reset", "FAULT_RESET"],
    ["reset", { after: 40, on: "request" }, 40, "reset", "FAULT_RESET"],
    ["empty", {}, 0, "end", "FAULT_EMPTY"],
    ["limit", { bytes: 40 }, 40, "end", "FAULT_LIMIT"],
    ["random-data", { bytes: 10, seed: 1 }, 10, "end", "FAULT_RANDOM_DATA"],
    ["timeout", { ms: 20 }, 0, "end", "FAULT_TIMEOUT"],
    ["timeout", { ms: 20, after: 40 }, 40, "end", "FAULT_TIMEOUT"],
    ["timeout", { ms: 20, then: "forward" }, 0, "end", "FAULT_TIMEOUT"],
  ] as [Parameters<typeof fault>[0], FaultOptions, number, string, string][])(
    "%s %j: %i bytes, then the %s",
    async (kind, options, bytes, end, code) => {
      await using it = await conversing(fault(kind, options));
      await using client = await openTunnel(it.proxy, "db.test:5432");
      await client.write(pattern(100)).catch(() => {});
      const got = await rest(client);
      // What is on its way to the server may come back before both are reset, or not.
      if (options.on === "request") expect([got.bytes <= bytes, got.end]).toEqual([true, end]);
      else expect(got).toEqual({ bytes, end });
      const flow = await flowOf(it.proxy);
      expect([flow.error?.code, flow.faults.length]).toEqual([code, 1]);
      expect(flow.error?.message).toMatch(/^the conversation with db\.test:5432 was broken by a rule: fault /);
    },
  );

  test("timeout for ever: ends when the client does, and when the proxy does", async () => {
    {
      await using it = await conversing(fault("timeout", { then: "forward" }));
      await using client = await openTunnel(it.proxy, "db.test:5432");
      await client.write("hello");
      client.end();
      expect(await rest(client)).toEqual({ bytes: 0, end: "end" });
      expect((await flowOf(it.proxy)).faults).toEqual(["fault timeout"]);
    }
    for (const options of [{}, { after: 2 }]) {
      await using it = await conversing(fault("timeout", options));
      await using client = await openTunnel(it.proxy, "db.test:5432");
      await client.write("hello");
      while (it.proxy.flows.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await it.proxy.close();
      await client.closed;
      expect((it.proxy.flows.first() as TcpFlow).error?.code).toBe("PROXY_CLOSED");
    }
  });

  test("a slow line holds up who sends, and does not fill the memory", async () => {
    await using it = await conversing(throttle({ bytesPerSecond: 100_000, on: "request" }));
    await using client = await openTunnel(it.proxy, "db.test:5432");
    client.socket.write(Buffer.alloc(64 * 1024 * 1024));
    await client.readBytes(10_000);
    const flow = it.proxy.flows.first() as TcpFlow;
    // What is in the buffers of two kernels was read as well.
    expect(flow.bytes.client).toBeLessThan(16 * 1024 * 1024);
    expect(it.server.received.length).toBeLessThan(1024 * 1024);
  });

  test("a slow line goes on when there is room again", async () => {
    await using it = await conversing(throttle({ bytesPerSecond: 4_000_000 }));
    await using client = await openTunnel(it.proxy, "db.test:5432");
    const sent = pattern(1_000_000);
    client.end(sent);
    expect(Buffer.from(await client.readAll()).equals(sent)).toBe(true);
  });

  test.each([
    ["respond()", respond({ body: "no" })],
    ["fault() of HTTP", fault("malformed-chunk")],
    ["throttle() of an answer", throttle({ bytesPerSecond: 1, then: respond({ body: "no" }) })],
  ])("%s makes no sense: the conversation ends with an error that says so", async (_, action) => {
    const server = await startRawServer((connection) => connection.closed);
    await using _server = server;
    const proxy = await startProxy({ rules: [[tcp(), action]] });
    await using client = await openTunnel(proxy, `127.0.0.1:${server.port}`);
    await client.write("hello").catch(() => {});
    await client.closed;
    const flow = await flowOf(proxy);
    expect(flow.error).toMatchObject({
      code: "HOOK_FAILED",
      message: expect.stringContaining("cannot be done to a raw conversation"),
    });
    await expect(proxy.close()).rejects.toThrow("cannot be done to a raw conversation");
  });
});

describe("a WebSocket", () => {
  async function talking(action: ActionFunction) {
    const server = await startPeerServer(echo);
    const proxy = await startProxy({ rules: [[() => true, action]] });
    return {
      proxy,
      url: `ws://127.0.0.1:${server.port}/`,
      async [Symbol.asyncDispose]() {
        await proxy.close();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  test.each([
    ["latency", fault("latency", { ms: 60 }), 55],
    ["latency both ways", fault("latency", { ms: 40, on: "both" }), 75],
    ["slice", fault("slice", { size: 40, ms: 20 }), 35],
    ["throttle", throttle({ bytesPerSecond: 2000, on: "response" }), 45],
  ] as [string, ActionFunction, number][])("%s: messages are late and whole", async (_, action, least) => {
    await using it = await talking(action);
    await using client = await openPeer(it.proxy, it.url);
    const message = "m".repeat(100);
    const start = performance.now();
    await client.send(text(message));
    expect((await client.frame()).payload.toString()).toBe(message);
    expect(performance.now() - start).toBeGreaterThan(least);
    await client.send(close(1000, "bye"));
    expect(await client.rest()).toEqual(['close 1000 "bye"']);
    const flow = await ended(it.proxy);
    expect([flow.error, flow.websocket!.closeCode, flow.faults.length]).toEqual([undefined, 1000, 1]);
  });

  test.each([
    ["reset", { after: 20 }, "reset", "FAULT_RESET"],
    ["limit", { bytes: 20 }, "end", "FAULT_LIMIT"],
    ["limit", { bytes: 20, on: "request" }, "end", "FAULT_LIMIT"],
    ["timeout", { after: 20, ms: 20 }, "end", "FAULT_TIMEOUT"],
  ] as [Parameters<typeof fault>[0], FaultOptions, string, string][])(
    "%s %j: cut off in the middle of a message, without a close frame",
    async (kind, options, end, code) => {
      await using it = await talking(fault(kind, options));
      await using client = await openPeer(it.proxy, it.url);
      const before = client.connection.received.length;
      await client.send(text("m".repeat(100)));
      const got = await rest(client.connection);
      const bytes = got.bytes + CONNECTED - before;
      expect([bytes, got.end]).toEqual([options.on === "request" ? 0 : 20, end]);
      const flow = await ended(it.proxy);
      expect([flow.error?.code, flow.websocket!.closeCode, flow.faults.length]).toEqual([code, 1006, 1]);
    },
  );

  test("reset before the handshake", async () => {
    await using it = await talking(fault("reset"));
    await expect(openPeer(it.proxy, it.url)).rejects.toThrow();
    expect((await ended(it.proxy)).error?.code).toBe("FAULT_RESET");
  });

  test("timeout for ever: ends with its client", async () => {
    await using it = await talking(fault("timeout", { after: 0 }));
    {
      await using client = await openPeer(it.proxy, it.url);
      await client.send(text("hello"));
      client.connection.socket.destroy();
    }
    expect((await ended(it.proxy)).error?.code).toBe("CLIENT_ABORTED");
  });

  test("timeout for ever: ends when the server cuts the connection", async () => {
    await using server = await startPeerServer(async (peer) => {
      await peer.frame();
      peer.connection.socket.destroy();
    });
    await using proxy = await startProxy({ rules: [[() => true, fault("timeout", { after: 0 })]] });
    await using client = await openPeer(proxy, `ws://127.0.0.1:${server.port}/`);
    await client.send(text("hello"));
    await client.connection.closed;
    expect((await ended(proxy)).error?.code).toBe("UPSTREAM_ABORTED");
  });

  test("the close frame is slow too, and the proxy closes although it has not gone", async () => {
    await using it = await talking(throttle({ bytesPerSecond: 1, on: "response" }));
    await using client = await openPeer(it.proxy, it.url);
    await client.send(text("m".repeat(100)), close(1000, "bye"));
    await client.connection.readBytes(1);
    await it.proxy.close();
    await client.connection.closed;
    expect(latin1(client.connection.received).length).toBeLessThan(400);
  });
});
