// Hooks, rules and capture with HTTP/2: the same as with HTTP/1.1, but for what a cut is.
import { describe, expect, test } from "vitest";
import { delay, edit, type HttpFlow, respond, startProxy } from "../../../src/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { ask, nodeClient, proxyOf, startNodeOrigin, valuesOf } from "./peers.ts";

const INTERNAL_ERROR = 2;

describe("rules", () => {
  test("respond, without a server", async () => {
    await using proxy = await startProxy({
      rules: [[
        "POST https://origin.test/pay",
        respond({ status: 402, headers: { "X-Case": "1" }, json: { error: "no" } }),
      ]],
    });
    const result = await ask(proxy, { path: "/pay", body: "x".repeat(100_000) });
    expect(result).toMatchObject({ status: 402, body: '{"error":"no"}', ended: true, rst: 0 });
    expect(valuesOf(result.raw, "x-case")).toEqual(["1"]);
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow).toMatchObject({ source: "rule" });
    expect(flow.request.body.length).toBe(100_000);
  });

  test("respond with nothing ends the stream with its head", async () => {
    await using proxy = await startProxy({ defaultAction: respond({ status: 204 }) });
    expect(await ask(proxy, { path: "/" })).toMatchObject({ status: 204, length: 0, ended: true, rst: 0 });
    expect(await ask(proxy, { path: "/", method: "HEAD" })).toMatchObject({ status: 204, length: 0, rst: 0 });
  });

  test("drop resets the stream, and no other", async () => {
    await using proxy = await startProxy({
      rules: [["/dropped", "drop"]],
      defaultAction: delay(50, respond({ body: "ok" })),
    });
    const [dropped, other] = await nodeClient(proxy, [{ path: "/dropped" }, { path: "/other" }]);
    expect(dropped).toMatchObject({ rst: INTERNAL_ERROR, error: "ERR_HTTP2_STREAM_ERROR" });
    expect(dropped!.status).toBeUndefined();
    expect(other).toMatchObject({ status: 200, body: "ok" });
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("DROPPED");
  });

  test("edit changes both messages, between any versions", async () => {
    await using origin = await startNodeOrigin({ allowHTTP1: true });
    for (const http2 of [true, false]) {
      await using proxy = await proxyOf(origin, {
        upstream: { http2 },
        rules: [[
          "/echo",
          edit({ request: { headers: { "X-Edited": "1" }, body: "edited" }, response: { status: 201 } }),
        ]],
      });
      const result = await ask(proxy, { path: "/echo", body: "hello" });
      expect(result.status).toBe(201);
      const { raw, length } = JSON.parse(result.body);
      expect(length).toBe(6);
      expect(valuesOf(raw, "x-edited")).toEqual(["1"]);
    }
  });
});

describe("hooks", () => {
  test("fire in their order, and may change everything", async () => {
    await using origin = await startNodeOrigin();
    const seen: string[] = [];
    await using proxy = await proxyOf(origin, {
      addons: [{
        requestHeaders: (flow) => void seen.push(`requestHeaders ${flow.request.httpVersion}`),
        async request(flow) {
          await Promise.resolve();
          seen.push(`request ${flow.request.text()}`);
          flow.request.path = "/echo";
          flow.request.headers.set("x-new", "1");
        },
        responseHeaders: (flow) => void seen.push(`responseHeaders ${flow.response!.status}`),
        response(flow) {
          seen.push("response");
          flow.response!.headers.set("X-Added", "yes");
        },
      }],
    });
    const result = await ask(proxy, { path: "/elsewhere", body: "hello", trailers: { "x-check": "1" } });
    expect(seen).toEqual(["requestHeaders 2", "request hello", "responseHeaders 200", "response"]);
    expect(valuesOf(result.raw, "x-added")).toEqual(["yes"]);
    const { raw, trailers } = JSON.parse(result.body);
    expect(raw).toEqual(expect.arrayContaining([":path", "/echo", "x-new", "1"]));
    expect(trailers).toEqual(["x-check", "1"]);
  });

  test("kill in the middle of a response resets its stream, here and there", async () => {
    await using origin = await startNodeOrigin();
    await using proxy = await proxyOf(origin, {
      addons: [{
        responseHeaders(flow) {
          flow.response!.stream = true;
          setTimeout(() => flow.kill(), 50);
        },
      }],
    });
    const result = await ask(proxy, { path: "/download/50000000", pauseMs: 200 });
    expect(result).toMatchObject({ status: 200, rst: INTERNAL_ERROR, error: "ERR_HTTP2_STREAM_ERROR" });
    expect((proxy.flows.first() as HttpFlow).error!.code).toBe("KILLED");
  });

  test("an error set by an addon is a page", async () => {
    await using proxy = await startProxy({
      addons: [{ requestHeaders: (flow) => void (flow.error = { code: "NOT_TODAY", message: "closed on Sundays" }) }],
    });
    expect(await ask(proxy, { path: "/" })).toMatchObject({ status: 502, body: expect.stringContaining("Sundays") });
  });
});

test("a server that cannot be reached: 502 that says why, over the same connection", async () => {
  await using proxy = await startProxy({ upstream: { hosts: { "origin.test": "127.0.0.1:9" } } });
  const results = await nodeClient(proxy, [{ path: "/a" }, { path: "/b", body: 1_000_000 }]);
  for (const result of results) {
    expect(result).toMatchObject({ status: 502, body: expect.stringContaining("UPSTREAM_REFUSED") });
  }
});

test("closing the proxy ends streams in flight", async () => {
  await using origin = await startNodeOrigin();
  const proxy = await proxyOf(origin);
  const hanging = ask(proxy, { path: "/hang" });
  await expect.poll(() => proxy.flows.length, { timeout: 10_000 }).toBe(1);
  const started = performance.now();
  await proxy.close();
  expect(performance.now() - started).toBeLessThan(10_000);
  expect((await hanging).status).toBeUndefined();
  expect((proxy.flows.first() as HttpFlow).error!.code).toBe("PROXY_CLOSED");
});

test("a body that an HTTP/1.1 server breaks off resets the stream", async () => {
  await using origin = await startOrigin(() => ({
    headers: [["Content-Length", "100"], ["Connection", "close"]],
    body: "short",
  }));
  await using proxy = await startProxy({
    upstream: { hosts: { "origin.test": `127.0.0.1:${new URL(origin.url).port}` }, http2: false },
  });
  const result = await ask(proxy, { path: "/" }, { secure: false });
  expect(result).toMatchObject({ status: 200, rst: INTERNAL_ERROR });
  expect((proxy.flows.first() as HttpFlow).error!.code).toBe("UPSTREAM_ABORTED");
});
