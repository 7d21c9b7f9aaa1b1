// HTTP/2 through a running proxy, between clients and servers on node:http2.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type HttpFlow, respond } from "../../../src/mod.ts";
import { startOrigin } from "../../support/origin.ts";
import { fetchIn, run } from "../../support/run.ts";
import { hasCommand, RUNTIMES } from "../../support/runtime.ts";
import { PATIENTLY } from "../http1_client.ts";
import { ask, nodeClient, proxyOf, startNodeOrigin, valuesOf } from "./peers.ts";
import { DATA, END_STREAM, frame, GOAWAY, HEADERS, RawPeer } from "./raw_peer.ts";

const withCurl = test.runIf(hasCommand("curl"));

describe("B53 HTTP/2 in CONNECT", () => {
  test("is a flow of its own, with fields in order and in duplicate", async () => {
    await using origin = await startNodeOrigin();
    await using proxy = await proxyOf(origin);
    const result = await ask(proxy, {
      path: "/echo?q=1",
      headers: [["x-b", "1"], ["x-a", "2"], ["x-b", "3"]],
      body: "hello",
    });
    expect(result).toMatchObject({ status: 200, ended: true, rst: 0 });
    const { raw, length } = JSON.parse(result.body);
    expect(length).toBe(5);
    expect(raw).toEqual(
      [":method", "POST", ":scheme", "https", ":authority", "origin.test", ":path", "/echo?q=1"].concat(
        ["x-b", "1", "x-a", "2", "x-b", "3"],
      ),
    );
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.request).toMatchObject({ method: "POST", url: "https://origin.test/echo?q=1", httpVersion: "2" });
    expect(flow.request.headers.raw).toEqual([["host", "origin.test"], ["x-b", "1"], ["x-a", "2"], ["x-b", "3"]]);
    expect(flow.request.text()).toBe("hello");
    expect(flow.response).toMatchObject({ status: 200, reason: "OK", httpVersion: "2" });
    expect(flow.response!.text()).toBe(result.body);
    expect(flow.client.tls!.alpn).toBe("h2");
    expect(flow.server!.tls!.alpn).toBe("h2");
  });

  test("clients choose, whatever the server speaks", async () => {
    await using origin = await startNodeOrigin({ allowHTTP1: true });
    await using proxy = await proxyOf(origin);
    for (const client of ["--http2", "--http1.1"]) {
      if (!hasCommand("curl")) break;
      const { stdout } = await run("curl", [
        "-sS",
        "-w",
        "%{http_version}",
        "-o",
        "-",
        client,
        "https://origin.test/echo",
      ], {
        env: proxy.env(),
      });
      expect(stdout.slice(stdout.lastIndexOf("}") + 1)).toBe(client === "--http2" ? "2" : "1.1");
    }
  });
});

test("B53 fetch of Deno speaks HTTP/2 through the proxy, those of Node and Bun speak HTTP/1.1", async () => {
  await using origin = await startNodeOrigin();
  await using proxy = await proxyOf(origin);
  for (const name of RUNTIMES) {
    const { status, body } = await fetchIn(name, "https://origin.test/echo", { env: proxy.env() });
    expect([status, JSON.parse(body).raw.slice(4, 6)]).toEqual([200, [":authority", "origin.test"]]);
  }
  const versions = ([...proxy.flows] as HttpFlow[]).map(({ request }) => request.httpVersion);
  expect(Object.fromEntries(RUNTIMES.map((name, i) => [name, versions[i]]))).toEqual({
    node: "1.1",
    deno: "2",
    bun: "1.1",
  });
});

test("what is not ASCII in fields stays as it is, also when much follows", async () => {
  await using origin = await startNodeOrigin();
  await using proxy = await proxyOf(origin, {
    rules: [["/large", respond({ headers: { "x-latin": "caf\u00e9" }, body: "x".repeat(1_000_000) })]],
  });
  const large = await ask(proxy, { path: "/large" });
  expect(valuesOf(large.raw, "x-latin")).toEqual(["caf\u00e9"]);
  expect(large.length).toBe(1_000_000);
  if (!hasCommand("curl")) return;
  const { stdout } = await run("sh", ["-c", "curl -sS -i --http1.1 https://origin.test/large | head -c 200 | od -c"], {
    env: proxy.env(),
  });
  expect(stdout).toMatch(/c {3}a {3}f 351/);
});

describe("B54 prior knowledge", () => {
  test("HTTP/2 without TLS on both sides", async () => {
    await using origin = await startNodeOrigin({ tls: false });
    await using proxy = await proxyOf(origin);
    const result = await ask(proxy, { path: "/echo", body: "hello" }, { secure: false });
    expect(JSON.parse(result.body)).toMatchObject({ length: 5 });
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.request).toMatchObject({ url: "http://origin.test/echo", httpVersion: "2" });
    expect(flow.response!.httpVersion).toBe("2");
  });

  test("a server that speaks HTTP/1.1 only is asked in HTTP/1.1", async () => {
    const { startOrigin } = await import("../../support/origin.ts");
    await using origin = await startOrigin(({ method, target }) => ({ body: `${method} ${target}` }));
    await using proxy = await proxyOf({ port: Number(new URL(origin.url).port) });
    const results = await nodeClient(proxy, [{ path: "/a" }, { path: "/b", body: "x" }, { path: "/c" }], {
      secure: false,
    });
    expect(results.map(({ status, body }) => [status, body])).toEqual([
      [200, "GET /a"],
      [200, "POST /b"],
      [200, "GET /c"],
    ]);
    expect((proxy.flows.first() as HttpFlow).response!.httpVersion).toBe("1.1");
  });

  withCurl("curl --http2-prior-knowledge", async () => {
    await using origin = await startNodeOrigin({ tls: false });
    await using proxy = await proxyOf(origin);
    const { stdout } = await run("curl", [
      "-sS",
      "--http2-prior-knowledge",
      "--proxytunnel",
      "-w",
      " %{http_version}",
      "http://origin.test/echo",
    ], { env: proxy.env() });
    expect(stdout).toMatch(/\} 2$/);
  });
});

describe("B55 between versions", () => {
  test("HTTP/2 to HTTP/1.1: one Cookie, Host for :authority, trailers", async () => {
    await using origin = await startNodeOrigin({ allowHTTP1: true });
    await using proxy = await proxyOf(origin, { upstream: { http2: false } });
    const result = await ask(proxy, {
      path: "/echo",
      headers: [["cookie", "a=1"], ["x-one", "1"], ["cookie", "b=2"], ["te", "trailers"]],
      body: "hello",
      trailers: { "x-check": "7" },
    });
    const { version, raw, length, trailers } = JSON.parse(result.body);
    expect(version).toBe("1.1");
    expect(length).toBe(5);
    expect(valuesOf(raw, "host")).toEqual(["origin.test"]);
    expect(valuesOf(raw, "cookie")).toEqual(["a=1; b=2"]);
    expect(valuesOf(raw, "transfer-encoding")).toEqual(["chunked"]);
    expect(trailers).toEqual(["x-check", "7"]);
    // What belongs to the connection of the server stays there.
    expect(result.raw.filter((_, i) => i % 2 === 0)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:connection|keep-alive|transfer-encoding)$/)]),
    );
    expect(valuesOf(result.raw, "set-cookie")).toEqual(["a=1", "b=2"]);
    expect(result.trailers).toEqual(["x-sum", "1"]);
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.request.cookies).toEqual({ a: "1", b: "2" });
    expect(flow.request.trailers!.get("x-check")).toBe("7");
  });

  withCurl(
    "HTTP/1.1 to HTTP/2: cookies apart, :authority for Host, names in lower case, no connection fields",
    async () => {
      await using origin = await startNodeOrigin();
      await using proxy = await proxyOf(origin);
      const { stdout } = await run("curl", [
        "-sS",
        "-i",
        "--http1.1",
        "--suppress-connect-headers",
        ...[
          "-H",
          "Cookie: a=1; b=2",
          "-H",
          "X-Case: Kept",
          "-H",
          "Connection: close, X-Hop",
          "-H",
          "X-Hop: 1",
          "-d",
          "hello",
        ],
        "https://origin.test/echo",
      ], { env: proxy.env() });
      const [head = "", body = ""] = stdout.split("\r\n\r\n");
      expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(head.match(/^set-cookie: .*$/gim)).toHaveLength(2);
      const { raw, length } = JSON.parse(body);
      expect(length).toBe(5);
      expect(raw.slice(0, 8)).toEqual([
        ":method",
        "POST",
        ":scheme",
        "https",
        ":authority",
        "origin.test",
        ":path",
        "/echo",
      ]);
      expect(valuesOf(raw, "cookie")).toEqual(["a=1", "b=2"]);
      expect(valuesOf(raw, "x-case")).toEqual(["Kept"]);
      const names = raw.filter((_: string, i: number) => i % 2 === 0);
      for (const name of ["host", "connection", "x-hop"]) expect(names).not.toContain(name);
      expect((proxy.flows.first() as HttpFlow).request.headers.raw).toContainEqual(["X-Case", "Kept"]);
    },
  );

  withCurl("HTTP/1.1 on both sides still is", async () => {
    await using origin = await startNodeOrigin({ allowHTTP1: true });
    await using proxy = await proxyOf(origin, { upstream: { http2: false } });
    const { stdout } = await run("curl", ["-sS", "--http1.1", "-d", "hello", "https://origin.test/echo"], {
      env: proxy.env(),
    });
    expect(JSON.parse(stdout)).toMatchObject({ version: "1.1", length: 5 });
  });
});

test("B56 trailers both ways", async () => {
  await using origin = await startNodeOrigin();
  await using proxy = await proxyOf(origin);
  const [sent, got] = await nodeClient(proxy, [
    { path: "/echo", body: "hello", trailers: { "x-check": "7" } },
    { path: "/trailers" },
  ], { inTurn: true });
  expect(JSON.parse(sent!.body).trailers).toEqual(["x-check", "7"]);
  expect(got).toMatchObject({ body: "body", trailers: ["x-sum", "1", "x-sum", "2", "grpc-status", "0"] });
  const [first, second] = [...proxy.flows] as HttpFlow[];
  expect(first!.request.trailers!.raw).toEqual([["x-check", "7"]]);
  expect(second!.response!.trailers!.getAll("x-sum")).toEqual(["1", "2"]);
});

describe("B57 RST_STREAM reaches the other side", () => {
  test.each([[2, "INTERNAL_ERROR"], [11, "ENHANCE_YOUR_CALM"]])("from the server: %s", async (code, name) => {
    await using origin = await startNodeOrigin();
    await using proxy = await proxyOf(origin);
    const [reset, other] = await nodeClient(proxy, [{ path: `/reset/${code}` }, { path: "/echo" }]);
    expect(reset).toMatchObject({ rst: code, error: "ERR_HTTP2_STREAM_ERROR" });
    expect(other!.status).toBe(200);
    const flow = proxy.flows.filter("/reset/*").first() as HttpFlow | undefined ??
      [...proxy.flows as Iterable<HttpFlow>].find(({ error }) => error !== undefined)!;
    expect(flow.error).toMatchObject({
      code: "UPSTREAM_RESET",
      resetCode: code,
      message: expect.stringContaining(name),
    });
  });

  withCurl("from the server, for a client of HTTP/1.1: 502", async () => {
    await using origin = await startNodeOrigin();
    await using proxy = await proxyOf(origin);
    const { stdout } = await run("curl", ["-sS", "-i", "--http1.1", "https://origin.test/reset/2"], {
      env: proxy.env(),
    });
    expect(stdout).toMatch(/HTTP\/1\.1 502 [^]*UPSTREAM_RESET/);
  });

  test("from the client", async () => {
    await using origin = await startNodeOrigin();
    await using proxy = await proxyOf(origin);
    await nodeClient(proxy, [{ path: "/hang", resetUnanswered: 8 }, { path: "/download/1000000", reset: 11 }]);
    const resets = async () => JSON.parse((await ask(proxy, { path: "/state" })).body).resets.sort();
    await expect.poll(resets, PATIENTLY).toEqual([11, 8]);
    const errors = [...proxy.flows as Iterable<HttpFlow>].map(({ error }) => error).filter((it) => it !== undefined);
    expect(errors.map((it) => [it.code, it.resetCode]).sort()).toEqual([["CLIENT_ABORTED", 11], ["CLIENT_ABORTED", 8]]);
  });
});

test("B58 a hundred streams at once, over one connection to the server", async () => {
  await using origin = await startNodeOrigin();
  await using proxy = await proxyOf(origin);
  const results = await nodeClient(proxy, Array.from({ length: 100 }, () => ({ path: "/wait/100" })));
  expect(new Set(results.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(["200 session 0"]));
  expect(proxy.flows.length).toBe(100);
});

test("B58 more streams than a server takes go over further connections", async () => {
  await using origin = await startNodeOrigin({ maxConcurrentStreams: 10 });
  await using proxy = await proxyOf(origin);
  const results = await nodeClient(proxy, Array.from({ length: 30 }, () => ({ path: "/wait/30" })));
  expect(results.map(({ status }) => status)).toEqual(results.map(() => 200));
  expect(new Set(results.map(({ body }) => body)).size).toBeGreaterThanOrEqual(3);
});

/** What the bodies of these clients and servers come to. */
function sha1Of(size: number): string {
  const hash = createHash("sha1");
  for (let at = 0; at < size; at += 16_384) hash.update(Buffer.alloc(Math.min(16_384, size - at), String(at)));
  return hash.digest("hex");
}

describe("B59 bodies beyond the window", () => {
  test("5 MB each way", async () => {
    await using origin = await startNodeOrigin();
    await using proxy = await proxyOf(origin);
    const [down, up] = await nodeClient(proxy, [{ path: "/download/5000000" }, { path: "/echo", body: 5_000_000 }]);
    const sha1 = sha1Of(5_000_000);
    expect(down).toMatchObject({ length: 5_000_000, sha1, ended: true, rst: 0 });
    expect(JSON.parse(up!.body)).toMatchObject({ length: 5_000_000, sha1 });
  });

  test("a client that does not read holds up the server, and no other stream", async () => {
    await using origin = await startNodeOrigin();
    await using proxy = await proxyOf(origin, { capture: { maxBody: 1000 } });
    const slow = nodeClient(proxy, [
      { path: "/download/20000000", pauseMs: 1500 },
      { path: "/echo", body: 200_000 },
    ]);
    const state = async () => JSON.parse((await ask(proxy, { path: "/state" })).body).written as number;
    await expect.poll(state, PATIENTLY).toBeGreaterThan(100_000);
    expect(await state()).toBeLessThan(4_000_000);
    const [down, up] = await slow;
    expect(down).toMatchObject({ length: 20_000_000, ended: true });
    expect(JSON.parse(up!.body).length).toBe(200_000);
  });

  test("a server that does not read holds up the client, and no other stream", async () => {
    await using origin = await startNodeOrigin();
    await using proxy = await proxyOf(origin, { capture: { maxBody: 1000 } });
    const upload = ask(proxy, { path: "/hold", body: 20_000_000 });
    const flow = () => proxy.flows.first() as HttpFlow | undefined;
    await expect.poll(() => flow()?.request.content.size, PATIENTLY).toBeGreaterThan(60_000);
    const [other] = await nodeClient(proxy, [{ path: "/echo", body: 200_000 }]);
    expect(other!.status).toBe(200);
    expect(flow()!.request.content.size).toBeLessThan(4_000_000);
    await ask(proxy, { path: "/go" });
    expect(await upload).toMatchObject({ body: "20000000", ended: true });
  });
});

describe("B62 informational responses", () => {
  test.each([true, false])("103 reaches a client of HTTP/2 (from HTTP/2: %j)", async (http2) => {
    await using origin = await startNodeOrigin({ allowHTTP1: !http2 });
    await using proxy = await proxyOf(origin, { upstream: { http2 } });
    const result = await ask(proxy, { path: "/early" });
    expect(result.status).toBe(200);
    expect(result.informational[0]!.slice(0, 2)).toEqual([":status", "103"]);
    expect(valuesOf(result.informational[0]!, "link").join(", ")).toBe("</a.css>, </b.css>");
    const flow = proxy.flows.first() as HttpFlow;
    expect(flow.informational[0]).toMatchObject({ status: 103, reason: "Early Hints" });
  });

  withCurl("103 reaches a client of HTTP/1.1 from HTTP/2", async () => {
    await using origin = await startNodeOrigin();
    await using proxy = await proxyOf(origin);
    const { stdout } = await run("curl", ["-sS", "-i", "--http1.1", "https://origin.test/early"], { env: proxy.env() });
    expect(stdout).toMatch(/HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>\r\nlink: <\/b\.css>\r\n\r\n/);
    expect(stdout).toMatch(/late$/);
  });
});

test("B63 GOAWAY: streams that were there finish, new ones go over a new connection", async () => {
  await using origin = await startNodeOrigin();
  await using proxy = await proxyOf(origin);
  const waiting = ask(proxy, { path: "/wait/99" });
  await expect.poll(() => proxy.flows.length, PATIENTLY).toBe(1);
  const [goaway, next] = await nodeClient(proxy, [{ path: "/goaway" }, { path: "/echo" }], { inTurn: true });
  expect(goaway!.status).toBe(204);
  expect(next!.status).toBe(200);
  expect(await waiting).toMatchObject({ status: 200, body: "session 0" });
  await expect.poll(async () => JSON.parse((await ask(proxy, { path: "/echo" })).body).session, PATIENTLY).toBe(1);
});

test("B63 GOAWAY of a client in the middle of its streams: they finish, and the process lives (Deno's own server aborts it)", async () => {
  const gate = Promise.withResolvers<void>();
  const halves = async function* () {
    yield "first";
    await gate.promise;
    yield "last";
  };
  await using origin = await startOrigin(() => ({ body: halves() }));
  await using proxy = await proxyOf(origin);
  await using client = await RawPeer.client(proxy);
  await client.request(1);
  await client.request(3);
  await client.find(DATA);
  // In the middle of both, and twice, as clients do that say it once more when they close.
  await client.send(frame(GOAWAY, 0, 0, Buffer.alloc(8)), frame(GOAWAY, 0, 0, Buffer.alloc(8)));
  gate.resolve();

  let ends = 0;
  while (ends < 2) if (((await client.find(DATA)).flags & END_STREAM) !== 0) ends++;
  for (const flow of proxy.flows) expect((flow as HttpFlow).response!.text()).toBe("firstlast");
  expect([...proxy.flows].map(({ error }) => error)).toEqual([undefined, undefined]);
  await using another = await RawPeer.client(proxy);
  await another.request(1);
  expect((await another.find(HEADERS)).fields).toContain("200");
});

test("B64 HTTP_1_1_REQUIRED: the request is sent again in HTTP/1.1, and the next ones at once", async () => {
  await using origin = await startNodeOrigin({ allowHTTP1: true });
  await using proxy = await proxyOf(origin);
  const results = await nodeClient(proxy, [{ path: "/reset/13", body: "hello" }, { path: "/echo" }], { inTurn: true });
  expect(results.map(({ status, body }) => [status, JSON.parse(body).version])).toEqual([[200, "1.1"], [200, "1.1"]]);
  expect(JSON.parse(results[0]!.body).length).toBe(5);
  expect([...proxy.flows as Iterable<HttpFlow>].map(({ error }) => error)).toEqual([undefined, undefined]);
});
