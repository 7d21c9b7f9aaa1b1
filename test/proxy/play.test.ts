// Captured flows that are sent again by the proxy itself.
import { describe, expect, test } from "vitest";
import { gzipSync } from "node:zlib";
import { type Addon, delay, drop, filter, FlowSet, type HttpFlow, respond, startProxy } from "../../src/mod.ts";
import { readTape } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { connectRaw, rawRequest } from "../support/raw_client.ts";
import { startRawServer } from "../support/raw_server.ts";
import { tempFolder } from "../support/temp.ts";

const first = (flows: FlowSet) => flows.first() as HttpFlow;

describe("a played flow", () => {
  test("is sent with exactly the bytes of the request, and captured like any other", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    await rawRequest(
      proxy.port,
      `BREW ${origin.url}/pot?a=%41&a=b HTTP/1.1\r\nHOST: 127.0.0.1:${origin.port}\r\nX-b: 1\r\nx-B: 2\r\nCookie: a=1\r\n` +
        `Sec-Fetch-Mode: cors\r\nOrigin: null\r\nX-Empty:\r\nX-Latin: caf\xe9\r\nContent-Length: 4\r\nConnection: close\r\n\r\nab\0d`,
    );
    const flow = first(proxy.flows);
    const played = await flow.play();
    const [sent, again] = origin.requests;
    expect([again!.method, again!.target, again!.headers, again!.body]).toEqual([
      sent!.method,
      sent!.target,
      sent!.headers,
      sent!.body,
    ]);
    expect(again!.headers.map(([name]) => name)).toEqual(
      ["HOST", "X-b", "x-B", "Cookie", "Sec-Fetch-Mode", "Origin", "X-Empty", "X-Latin", "Content-Length"],
    );
    expect(proxy.flows.length).toBe(2);
    expect(proxy.flows.last()).toBe(played);
    expect(played).toMatchObject({ done: true, source: "upstream", error: undefined });
    expect([played.response!.status, played.response!.text()]).toEqual([200, "ok"]);
    expect(played.client).toMatchObject({ host: "played", port: 0, played: flow.id });
    expect(played.server?.port).toBe(origin.port);
  });

  test.each<[string, string]>([
    ["chunks and trailers", "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"],
    ["an empty body of chunks", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["Content-Length: 0", "Content-Length: 0\r\n\r\n"],
    ["no body", "\r\n"],
    ["Expect", "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"],
  ])("keeps %s", async (_, rest) => {
    const heads: string[] = [];
    await using origin = await startRawServer(async (connection) => {
      const head = await connection.readHead();
      const body = /chunked/.test(head) ? await connection.readUntil("\r\n\r\n") : "";
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      heads.push(head + body + await connection.readBytes(length));
      await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    });
    await using proxy = await startProxy();
    const host = `127.0.0.1:${origin.port}`;
    await rawRequest(proxy.port, `POST http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${rest}`);
    const played = await first(proxy.flows).play();
    expect(played.error).toBe(undefined);
    expect(heads[1]).toBe(heads[0]);
    expect(heads.length).toBe(2);
  });

  test("says the truth about a body that was changed, and undoes no coding", async () => {
    await using origin = await startOrigin();
    await using proxy = await startProxy();
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    await (await proxy.fetch(`${origin.url}/`, { method: "POST", headers, body: gzipSync('{"qty":1}') })).text();
    const flow = first(proxy.flows);
    await flow.play();
    expect(origin.requests[1]!.body).toEqual(origin.requests[0]!.body);
    await flow.edit((request) => request.body = JSON.stringify({ qty: 200 })).play();
    expect(origin.requests[2]!.text()).toBe('{"qty":200}');
    expect(origin.requests[2]!.header("content-length")).toBe("11");
    expect(origin.requests[2]!.header("content-encoding")).toBe(undefined);
    expect(flow.request.json()).toEqual({ qty: 1 });
    expect(proxy.flows.last()).toMatchObject({ client: { played: flow.id } });
  });

  test("goes through hooks, rules and tape", async () => {
    await using folder = await tempFolder();
    await using origin = await startOrigin(({ target }) => ({ body: `server ${target}` }));
    const seen: string[] = [];
    const note = (name: string) => (flow: HttpFlow) => void seen.push(`${name} ${flow.client.played !== undefined}`);
    const addon: Addon = {
      clientConnect: () => void seen.push("clientConnect"),
      requestHeaders: note("requestHeaders"),
      request: note("request"),
      responseHeaders: note("responseHeaders"),
      response: note("response"),
      error: note("error"),
    };
    const tape = folder.file("a.har");
    {
      await using proxy = await startProxy({ addons: [addon], tape: { path: tape, mode: "record" } });
      await rawRequest(proxy.port, `GET ${origin.url}/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      seen.length = 0;
      await first(proxy.flows).edit((request) => request.path = "/2").play();
      expect(seen).toEqual(["requestHeaders true", "request true", "responseHeaders true", "response true"]);
      using _ = proxy.use([{ path: "/3" }, respond({ status: 418 })]);
      const ruled = await first(proxy.flows).edit((request) => request.path = "/3").play();
      expect([ruled.source, ruled.response?.status]).toEqual(["rule", 418]);
    }
    expect((await readTape(tape)).entries.map(({ url }) => new URL(url).pathname)).toEqual(["/1", "/2"]);

    await using replaying = await startProxy({ tape: { path: tape, mode: "replay" } });
    const recorded = await (await readTape(tape)).flows();
    await expect(recorded.play()).rejects.toThrow("bound to no proxy");
    const played = await recorded.play({ proxy: replaying });
    expect(played.extract("flow.source")).toEqual(["tape", "tape"]);
    expect(played.extract("text", "response")).toEqual(["server /1", "server /2"]);
    expect((await first(recorded).bind(replaying).play()).response?.text()).toBe("server /1");
    expect(origin.requests.length).toBe(2);
  });

  test("that fails is a flow with an error", async () => {
    await using proxy = await startProxy({
      rules: [["http://dropped.test/*", drop], ["http://shop.test/*", respond({})]],
    });
    await (await proxy.fetch("http://shop.test/")).text();
    const flow = first(proxy.flows);
    const urls = ["http://127.0.0.1:1/", "http://dropped.test/", "http://shop.test/", "http://nowhere.invalid/"];
    const played = await new FlowSet(urls.map((url) => flow.edit((request) => request.url = url))).play({
      concurrency: 4,
    });
    expect(played.extract("flow.error")).toEqual(["UPSTREAM_REFUSED", "DROPPED", undefined, "UPSTREAM_UNRESOLVED"]);
    expect(played.byStatus().get(0)!.length).toBe(3);
  });

  test.each<[string, (request: HttpFlow["request"]) => unknown, RegExp]>([
    [
      "a method that splits the head",
      (request) => request.method = "GET / HTTP/1.1\r\nX: y",
      /method .* is not a token/,
    ],
    ["no method", (request) => request.method = "", /is not a token/],
    [
      "ambiguous framing",
      (request) => request.headers.append("Transfer-Encoding", "xchunked"),
      /xchunked|Transfer-Encoding/,
    ],
    ["two Host fields", (request) => request.headers.append("Host", "b.test"), /Host/],
    ["a head that is too long", (request) => request.headers.set("x-long", "x".repeat(100_000)), /65536|limit/],
  ])("with %s is refused before it is sent", async (_, change, message) => {
    await using proxy = await startProxy({ rules: [["http://shop.test/*", respond({})]] });
    await (await proxy.fetch("http://shop.test/")).text();
    const seen: string[] = [];
    using __ = proxy.use({
      requestHeaders: () => void seen.push("requestHeaders"),
      error: () => void seen.push("error"),
    });
    const played = await first(proxy.flows).edit(change).play();
    expect(played.error?.message).toMatch(message);
    expect(seen).toEqual(["error"]);
    expect(proxy.flows.last()).toBe(played);
  });

  test("without its whole body cannot be sent, but with another one", async () => {
    await using proxy = await startProxy({
      capture: { maxBody: 10 },
      rules: [["http://shop.test/*", respond({ body: "ok" })]],
    });
    await (await proxy.fetch("http://shop.test/", { method: "POST", body: "x".repeat(100) })).text();
    await proxy.waitFor({ method: "POST" });
    const played = await first(proxy.flows).play();
    expect(played.error).toMatchObject({ code: "BODY_TRUNCATED" });
    expect(played.error!.message).toContain("raise capture.maxBody");
    expect((await first(proxy.flows).edit((request) => request.body = "y").play()).response?.text()).toBe("ok");
  });

  test("that does not end is given up", async () => {
    const gone = Promise.withResolvers<void>();
    await using origin = await startRawServer(async (connection) => {
      await connection.readHead();
      await connection.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
      await connection.closed;
      gone.resolve();
    });
    await using proxy = await startProxy({ rules: [["http://shop.test/*", respond({})]] });
    await (await proxy.fetch("http://shop.test/")).text();
    const flow = first(proxy.flows).edit((request) => request.url = `http://127.0.0.1:${origin.port}/`);
    const played = await flow.play({ timeout: 1000 });
    expect(played.error).toMatchObject({ code: "CLIENT_ABORTED" });
    expect(played.error!.message).toContain("did not end within 1000 ms");
    expect(played.response!.text()).toBe("data: 1\n\n");
    await gone.promise;
  });

  test("neither endless hooks nor closing the proxy keep play() from ending", async () => {
    let asked = 0;
    const proxy = await startProxy({
      rules: [[{ path: "/first" }, respond({})], ["http://shop.test/*", delay(60_000)]],
    });
    await (await proxy.fetch("http://shop.test/first")).text();
    const slow = first(proxy.flows).edit((request) => request.path = "/slow");
    proxy.use({ error: () => (asked++, new Promise(() => {})) });
    expect((await slow.play({ timeout: 20 })).error?.code).toBe("CLIENT_ABORTED");
    const playing = new FlowSet([slow, slow, slow]).play({ concurrency: 2 });
    await proxy.waitFor((flow) => flow.done && flow.request.path === "/slow").catch(() => {});
    await proxy.close();
    expect((await playing).extract("flow.error")).toEqual(["PROXY_CLOSED", "PROXY_CLOSED", "PROXY_CLOSED"]);
    expect(asked).toBeGreaterThan(0);
    await expect(slow.play()).rejects.toThrow(expect.objectContaining({ code: "PROXY_CLOSED" }));
  });

  test("of HTTP/2 stays one: fields in lower case, no length that was not there", async () => {
    await using origin = await startOrigin(() => ({ body: "ok" }), { tls: true });
    await using proxy = await startProxy({ upstream: { ca: origin.ca } });
    await (await proxy.fetch(`${origin.url}/x`, { method: "POST", body: "abc", headers: { cookie: "a=1" } })).text();
    const flow = first(proxy.flows);
    const h2 = flow.edit((request) => {
      request.httpVersion = "2";
      for (const name of ["connection", "content-length", "transfer-encoding"]) request.headers.delete(name);
      request.headers.append("Cookie", "b=2");
    });
    const played = await h2.play();
    expect(played.error).toBe(undefined);
    expect(played.request.httpVersion).toBe("2");
    expect([origin.requests[1]!.header("cookie"), origin.requests[1]!.text()]).toEqual(["a=1; b=2", "abc"]);
    expect(origin.requests[1]!.header("transfer-encoding")).toBe("chunked");
  });

  test("B89 leaves the captured one as it was, whatever hooks do to its copy", async () => {
    await using proxy = await startProxy({ rules: [["http://shop.test/*", respond({ body: "ok" })]] });
    await (await proxy.fetch("http://shop.test/", { method: "POST", body: "abc" })).text();
    const [flow] = await proxy.waitFor({ method: "POST" }) as Iterable<HttpFlow>;
    using _ = proxy.use({
      response(copy) {
        copy.request.encodedBody.fill(0x78);
        copy.request.headers.set("x", "y");
        copy.comment = "changed";
      },
    });
    const before = [flow!.request.headers.raw, flow!.timings, flow!.response!.text()];
    const text = JSON.stringify(before);
    const played = await flow!.play();
    expect(played.request.text()).toBe("xxx");
    expect(flow!.request.text()).toBe("abc");
    expect(flow!.comment).toBe(undefined);
    expect(JSON.stringify([flow!.request.headers.raw, flow!.timings, flow!.response!.text()])).toBe(text);
  });

  test("redirections are followed hop by hop", async () => {
    await using origin = await startOrigin(({ target, header }) =>
      target === "/login"
        ? { status: 303, headers: [["Location", "/home"], ["Set-Cookie", "sid=1; Path=/"]] }
        : { body: `${target} ${header("cookie")}` }
    );
    await using proxy = await startProxy();
    await (await proxy.fetch(`${origin.url}/login`, { method: "POST", body: "a=1", redirect: "manual" })).text();
    const next = await first(proxy.flows).follow()!.play();
    expect([next.request.method, next.response!.text()]).toEqual(["GET", "/home sid=1"]);
    expect(next.follow()).toBe(undefined);
  });
});

describe("many flows", () => {
  test("are played at once, in the order of the set, edited one by one", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: target }));
    await using proxy = await startProxy();
    for (let n = 0; n < 5; n++) await (await proxy.fetch(`${origin.url}/${n}`)).text();
    const flows = proxy.flows.copy();
    const played = await flows.play({
      order: "shuffled",
      concurrency: 3,
      edit: async (request, flow, index) => {
        await Promise.resolve();
        request.query.set("n", `${index}${flow.request.path}`);
      },
    });
    expect(played.extract("text", "response")).toEqual([0, 1, 2, 3, 4].map((n) => `/${n}?n=${n}%2F${n}`));
    expect(flows.extract("query.n")).toEqual(Array(5).fill(undefined));
    expect(proxy.flows.length).toBe(10);
    expect([...proxy.flows.filter(filter("~replayq"))]).toEqual([...proxy.flows.slice(5)]);
  });

  test("1,000 of them leave nothing behind", async () => {
    await using proxy = await startProxy({
      rules: [["http://shop.test/*", respond({ body: "ok" })]],
      capture: { maxFlows: 100 },
    });
    await (await proxy.fetch("http://shop.test/")).text();
    const flow = first(proxy.flows);
    const played = await new FlowSet(Array.from({ length: 1000 }, () => flow)).play({ concurrency: 50 });
    expect(played.byStatus().get(200)!.length).toBe(1000);
    expect(proxy.flows.length).toBe(100);
  });

  test("proxy.play refuses what is no flow to send", async () => {
    await using proxy = await startProxy();
    await expect(proxy.play({} as HttpFlow)).rejects.toThrow("play() takes a flow");
    await expect(proxy.play(undefined as unknown as HttpFlow)).rejects.toThrow("play() takes a flow");
  });
});

test("a client that is connected is not disturbed by flows that are played", async () => {
  await using origin = await startOrigin();
  await using proxy = await startProxy();
  await using client = await connectRaw(proxy.port);
  const head = `GET ${origin.url}/ HTTP/1.1\r\nHost: a\r\n\r\n`;
  await client.write(head);
  expect(await client.readHead()).toContain("200 OK");
  expect(new TextDecoder().decode(await client.readBytes(2))).toBe("ok");
  await first(proxy.flows).play();
  await client.write(head);
  expect(await client.readHead()).toContain("200 OK");
});
