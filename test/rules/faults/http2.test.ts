/**
 * Faults of HTTP/2: what there is instead of a reset, of chunks and of an end that comes too early. Client and server are node:http2.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ActionFunction,
  fault,
  type FaultOptions,
  type HttpFlow,
  type Proxy,
  respond,
  startProxy,
  throttle,
} from "../../../src/mod.ts";
import { run } from "../../support/run.ts";
import { hasCommand } from "../../support/runtime.ts";
import { ask, nodeClient, type NodeOrigin, proxyOf, startNodeOrigin } from "../../wire/http2/peers.ts";

const BODY = "x".repeat(1000);
const answer = respond({ body: BODY });

const CODES = { protocol: 1, internal: 2, refused: 7, cancel: 8 };

let origin: NodeOrigin;
beforeAll(async () => {
  origin = await startNodeOrigin();
});
afterAll(() => origin[Symbol.asyncDispose]());

async function faulty(action: ActionFunction): Promise<Proxy> {
  return await startProxy({ rules: [["/fault", action], ["/fine", respond({ body: "fine" })]] });
}

async function flowOf(proxy: Proxy, path = "/fault"): Promise<HttpFlow> {
  const [flow] = await proxy.waitFor({ path });
  return flow as HttpFlow;
}

describe("one stream is broken, and no other", () => {
  test.each([
    ["reset", {}, undefined, 0, CODES.internal],
    ["reset", { resetCode: CODES.refused }, undefined, 0, CODES.refused],
    ["reset", { after: 100, then: answer }, 200, 100, CODES.internal],
    ["empty", {}, undefined, 0, CODES.internal],
    ["timeout", { ms: 20 }, undefined, 0, CODES.internal],
    ["limit", { bytes: 100, then: answer }, 200, 100, CODES.internal],
    ["random-data", {}, undefined, 0, CODES.protocol],
    ["malformed-chunk", { bytes: 30 }, 200, 30, CODES.protocol],
  ] as [Parameters<typeof fault>[0], FaultOptions, number | undefined, number, number][])(
    "%s %j: RST_STREAM",
    async (kind, options, status, length, code) => {
      await using proxy = await faulty(fault(kind, options));
      const [broken, fine] = await nodeClient(proxy, [{ path: "/fault" }, { path: "/fine" }]);
      expect(broken).toMatchObject({ length, rst: code });
      expect([broken!.status, broken!.ended === true && broken!.error === undefined]).toEqual([status, false]);
      expect(fine).toMatchObject({ status: 200, body: "fine", rst: 0 });
      const flow = await flowOf(proxy);
      expect(flow.error?.code).toMatch(/^FAULT_/);
      expect(flow.faults).toEqual([expect.stringContaining(`fault ${kind}`)]);
    },
  );

  test("truncate: END_STREAM although content-length has promised more, which the client takes for an error", async () => {
    await using proxy = await faulty(fault("truncate", { then: answer }));
    const [broken, fine] = await nodeClient(proxy, [{ path: "/fault" }, { path: "/fine" }]);
    expect(broken).toMatchObject({ status: 200, length: 500, rst: CODES.protocol });
    expect(fine).toMatchObject({ status: 200, body: "fine" });
    expect((await flowOf(proxy)).error?.code).toBe("FAULT_TRUNCATED");
  });
});

describe("the connection is broken, and everything on it", () => {
  test.each([
    ["reset", { then: answer }],
    ["empty", { then: answer }],
    ["limit", { bytes: 100, then: answer }],
    ["random-data", { then: answer }],
  ] as [Parameters<typeof fault>[0], FaultOptions][])("%s", async (kind, options) => {
    await using proxy = await startProxy({
      rules: [
        ["/fault", fault(kind, { ...options, scope: "connection" })],
        ["/waits", fault("timeout")],
      ],
    });
    const results = await nodeClient(proxy, [{ path: "/waits" }, { path: "/fault" }]);
    expect(results.map(({ status }) => status)).toEqual([undefined, kind === "limit" ? 200 : undefined]);
    expect((await flowOf(proxy)).error?.code).toMatch(/^FAULT_/);
    const waits = await flowOf(proxy, "/waits");
    expect(waits.error).toMatchObject({
      code: (await flowOf(proxy)).error!.code,
      message: expect.stringContaining("another request broke the connection"),
    });
  });
});

describe("what is slow", () => {
  test.each([
    ["latency", fault("latency", { ms: 60, then: answer }), 55],
    ["dribble", fault("dribble", { chunks: 4, ms: 60, then: answer }), 55],
    ["slice", fault("slice", { size: 300, ms: 20, then: answer }), 55],
    ["slow-head: the head is late as a whole", fault("slow-head", { ms: 60, then: answer }), 55],
    ["slow-close: END_STREAM is late", fault("slow-close", { ms: 60, then: answer }), 55],
    ["throttle", throttle({ bytesPerSecond: 16_000, then: answer }), 55],
  ] as [string, ActionFunction, number][])("%s", async (_, action, least) => {
    await using proxy = await faulty(action);
    const result = await ask(proxy, { path: "/fault" });
    expect(result).toMatchObject({ status: 200, length: 1000, rst: 0, ended: true });
    const flow = await flowOf(proxy);
    expect([flow.error, flow.timings.end! > least]).toEqual([undefined, true]);
  });

  test("the same of a server's responses", async () => {
    await using proxy = await proxyOf(origin, {
      rules: [[{ path: "/download/50000" }, throttle({ bytesPerSecond: 500_000, on: "response" })]],
    });
    const [slow, other] = await nodeClient(proxy, [{ path: "/download/50000" }, { path: "/download/50000?" }]);
    expect([slow, other]).toMatchObject([{ length: 50_000, rst: 0 }, { length: 50_000, rst: 0 }]);
    expect((await flowOf(proxy, "/download/50000")).timings.end!).toBeGreaterThan(95);
  });
});

describe("on the way to a server", () => {
  test.each([
    ["latency", { ms: 50 }, 45],
    ["dribble", { chunks: 4, ms: 50 }, 45],
    ["slow-head", { ms: 50 }, 45],
    ["slow-close", { ms: 50 }, 45],
  ] as [Parameters<typeof fault>[0], FaultOptions, number][])("%s", async (kind, options, least) => {
    await using proxy = await proxyOf(origin, { rules: [["/echo", fault(kind, { on: "request", ...options })]] });
    const result = await ask(proxy, { path: "/echo", body: 5000 });
    expect([result.status, JSON.parse(result.body).length]).toEqual([200, 5000]);
    expect((await flowOf(proxy, "/echo")).timings.end!).toBeGreaterThan(least);
  });

  test.each([
    ["reset", { after: 100 }, CODES.cancel],
    ["reset", { after: 100, resetCode: CODES.refused }, CODES.refused],
    ["limit", { bytes: 100 }, CODES.cancel],
  ] as [Parameters<typeof fault>[0], FaultOptions, number][])(
    "%s %j: the server's stream is reset with code %i, and the client's",
    async (kind, options, code) => {
      await using server = await startNodeOrigin();
      await using proxy = await proxyOf(server, { rules: [["/hold", fault(kind, { on: "request", ...options })]] });
      const broken = await ask(proxy, { path: "/hold", body: 5000 });
      expect(broken.rst).toBe(options.resetCode ?? CODES.internal);
      expect((await flowOf(proxy, "/hold")).error?.code).toMatch(/^FAULT_/);
      const state = await ask(proxy, { path: "/state" });
      expect(JSON.parse(state.body)).toMatchObject({ resets: [code], sessions: 1 });
    },
  );

  test("the server's connection, when that is meant", async () => {
    await using server = await startNodeOrigin();
    await using proxy = await proxyOf(server, {
      rules: [["/hold", fault("reset", { on: "request", after: 100, scope: "connection" })]],
    });
    await ask(proxy, { path: "/hold", body: 5000 });
    const state = await ask(proxy, { path: "/state" });
    expect(JSON.parse(state.body)).toMatchObject({ sessions: 2 });
  });
});

test.runIf(hasCommand("curl"))("curl over HTTP/2: 92 for a stream that is reset", async () => {
  await using proxy = await faulty(fault("reset", { after: 10, then: answer }));
  const { code } = await run("curl", ["--silent", "--http2", "https://a.test/fault"], { env: proxy.env() });
  expect(code).toBe(92);
});
