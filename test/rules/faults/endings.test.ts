/**
 * Slow and broken flows that end before their time: clients that hang up, servers that do, a proxy that is closed. Nothing stays behind.
 */
import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import {
  type ActionFunction,
  delay,
  fault,
  type HttpFlow,
  type Proxy,
  respond,
  startProxy,
  tcp,
  throttle,
} from "../../../src/mod.ts";
import { leftOpen, openResources } from "../../proxy/resources.ts";
import { connectRaw } from "../../support/raw_client.ts";
import { startRawServer } from "../../support/raw_server.ts";
import { requestTo } from "../../wire/http1_client.ts";
import { echoServer } from "../../wire/tcp/support.ts";
import { openTunnel } from "../../wire/tunnel.ts";

const LONG = "x".repeat(100_000);
const then = respond({ body: LONG });
const HOUR = 3_600_000;
/** So many that a timer of the runner which goes meanwhile hides nothing. */
const MANY = 10;

const SLOW: [string, ActionFunction][] = [
  ["throttle", throttle({ bytesPerSecond: 1000, then })],
  ["latency", fault("latency", { ms: HOUR, then })],
  ["dribble", fault("dribble", { chunks: 100, ms: HOUR, then })],
  ["slice", fault("slice", { size: 1, ms: HOUR, then })],
  ["slow-head", fault("slow-head", { ms: HOUR, then })],
  ["slow-close", fault("slow-close", { ms: HOUR, then: respond(() => ({ body: new Response(LONG).body! })) })],
  ["timeout", fault("timeout", { ms: HOUR, after: 10, then })],
  ["timeout at once", fault("timeout", { ms: HOUR })],
  ["timeout without an end", fault("timeout", { after: 10, then })],
  ["reset after a time", fault("reset", { ms: HOUR, then })],
  ["delay", delay(HOUR, then)],
];

async function begun(proxy: Proxy): Promise<HttpFlow> {
  while (proxy.flows.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  // It is somewhere in the middle now.
  await new Promise((resolve) => setTimeout(resolve, 30));
  return proxy.flows.first() as HttpFlow;
}

describe.each(SLOW)("%s", (_, action) => {
  test("ends with its client", async () => {
    await using proxy = await startProxy({ rules: [["http://a.test/", action]] });
    const client = await connectRaw(proxy.port);
    await client.write(requestTo("http://a.test/"));
    await begun(proxy);
    client.reset();
    const [flow] = await proxy.waitFor({ host: "a.test" });
    expect((flow as HttpFlow).error?.code).toBe("CLIENT_ABORTED");
  });

  test("ends with the proxy, and leaves nothing behind", async () => {
    const before = openResources();
    {
      const proxy = await startProxy({ rules: [["http://a.test/", action]] });
      const clients = await Promise.all(Array.from({ length: MANY }, () => connectRaw(proxy.port)));
      for (const client of clients) await client.write(requestTo("http://a.test/"));
      const flow = await begun(proxy);
      await proxy.close();
      await Promise.all(clients.map((client) => client.closed));
      expect(flow.error?.code).toBe("PROXY_CLOSED");
    }
    expect(await leftOpen(before)).toEqual({});
  });

  test("ends with flow.kill()", async () => {
    await using proxy = await startProxy({ rules: [["http://a.test/", action]] });
    await using client = await connectRaw(proxy.port);
    await client.write(requestTo("http://a.test/"));
    const flow = await begun(proxy);
    flow.kill();
    await client.closed;
    expect(flow.error?.code).toBe("KILLED");
  });
});

describe.each(
  [
    ["throttle", throttle({ bytesPerSecond: 1, on: "request" })],
    ["latency", fault("latency", { ms: HOUR, on: "request" })],
    ["slow-head", fault("slow-head", { ms: HOUR, on: "request" })],
    ["timeout", fault("timeout", { ms: HOUR, on: "request", after: 5 })],
  ] as [string, ActionFunction][],
)("%s on the way to the server", (_, action) => {
  test("ends with the proxy, and leaves nothing behind", async () => {
    const before = openResources();
    {
      await using server = await startRawServer((connection) => connection.closed);
      const proxy = await startProxy({ rules: [[() => true, action]] });
      const clients = await Promise.all(Array.from({ length: MANY }, () => connectRaw(proxy.port)));
      const request = requestTo(`http://127.0.0.1:${server.port}/`, { method: "POST", body: LONG });
      for (const client of clients) client.socket.write(request);
      const flow = await begun(proxy);
      await proxy.close();
      await Promise.all(clients.map((client) => client.closed));
      expect(flow.error?.code).toBe("PROXY_CLOSED");
    }
    expect(await leftOpen(before)).toEqual({});
  });
});

test.each(
  [
    ["latency", fault("latency", { ms: HOUR })],
    ["throttle", throttle({ bytesPerSecond: 1 })],
    ["timeout", fault("timeout", { ms: HOUR, after: 5 })],
    ["timeout at once", fault("timeout", { ms: HOUR })],
    ["delay", delay(HOUR)],
  ] as [string, ActionFunction][],
)("%s of raw conversations ends with the proxy, and leaves nothing behind", async (_, action) => {
  const before = openResources();
  {
    await using server = await echoServer();
    const proxy = await startProxy({ rules: [[tcp(), action]] });
    const clients = await Promise.all(
      Array.from({ length: MANY }, () => openTunnel(proxy, `127.0.0.1:${server.port}`)),
    );
    for (const client of clients) await client.write("hello, hello");
    await begun(proxy);
    await proxy.close();
    await Promise.all(clients.map((client) => client.closed));
    expect(proxy.flows.first()!.error?.code).toBe("PROXY_CLOSED");
  }
  expect(await leftOpen(before)).toEqual({});
});

test("a server that aborts while its response is slow: the client sees an abort", async () => {
  await using server = await startRawServer(async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + "x".repeat(1000));
    connection.reset();
  });
  await using proxy = await startProxy({ rules: [[() => true, throttle({ bytesPerSecond: 10_000 })]] });
  await using client = await connectRaw(proxy.port);
  await client.write(requestTo(`http://127.0.0.1:${server.port}/`));
  await client.closed;
  const [flow] = await proxy.waitFor(() => true);
  expect((flow as HttpFlow).error?.code).toBe("UPSTREAM_ABORTED");
});

test("a throttled download holds up its server, and does not fill the memory", async () => {
  let sent = 0;
  await using server = await startRawServer(async (connection) => {
    await connection.readHead();
    await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const piece = Buffer.alloc(1024 * 1024);
    for (; sent < 1_000_000_000; sent += piece.length) await connection.write(piece);
  });
  await using proxy = await startProxy({
    capture: { maxBody: 1000 },
    rules: [[() => true, throttle({ bytesPerSecond: 100_000, on: "response" })]],
  });
  await using client = await connectRaw(proxy.port);
  await client.write(requestTo(`http://127.0.0.1:${server.port}/`));
  await client.readHead();
  await client.readBytes(20_000);
  // What is in the buffers of two kernels was sent as well.
  expect(sent).toBeLessThan(32 * 1024 * 1024);
  expect((proxy.flows.first() as HttpFlow).response!.content.size).toBeLessThan(16 * 1024 * 1024);
});

test("a throttled upload holds up its client", async () => {
  await using server = await startRawServer(async (connection) => void await connection.readAll().catch(() => {}));
  await using proxy = await startProxy({
    capture: { maxBody: 1000 },
    rules: [[() => true, throttle({ bytesPerSecond: 100_000, on: "request" })]],
  });
  await using client = await connectRaw(proxy.port);
  client.socket.write(
    requestTo(`http://127.0.0.1:${server.port}/`, { method: "POST", fields: ["Content-Length: 67108864"] }),
  );
  client.socket.write(Buffer.alloc(64 * 1024 * 1024));
  while (server.received.length < 20_000) await new Promise((resolve) => setTimeout(resolve, 10));
  expect((proxy.flows.first() as HttpFlow).request.content.size).toBeLessThan(16 * 1024 * 1024);
});

test("many at once, each in its own way", async () => {
  await using proxy = await startProxy({
    rules: SLOW.map(([name, action]) => [{ path: `/${encodeURIComponent(name)}` }, action] as const),
    defaultAction: fault("reset", {
      probability: 0.5,
      seed: 1,
      after: 1000,
      then: fault("slice", { size: 5000, then }),
    }),
  });
  const clients = await Promise.all(Array.from({ length: 60 }, async (_, i) => {
    const client = await connectRaw(proxy.port);
    const [name] = SLOW[i % SLOW.length]!;
    await client.write(requestTo(`http://a.test/${i % 3 === 0 ? encodeURIComponent(name) : ""}`));
    return client;
  }));
  await begun(proxy);
  for (const [i, client] of clients.entries()) if (i % 2 === 0) client.reset();
  await proxy.close();
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
  expect([...proxy.flows].every((flow) => flow.done)).toBe(true);
});
