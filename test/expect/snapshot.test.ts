import { describe, expect, test } from "vitest";
import { type FlowSnapshot, snapshot } from "../../src/expect/snapshot/snapshot.ts";
import { Buffer } from "node:buffer";
import { TcpMessage } from "../../src/flow/tcp_message.ts";
import { FlowSet } from "../../src/flow/flow_set.ts";
import type { HttpFlow } from "../../src/flow/http_flow.ts";
import { gzipSync } from "node:zlib";
import { respond } from "../../src/rules/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { tempFolder } from "../support/temp.ts";
import { startProxy } from "../tape/proxies.ts";
import { arriving, httpFlow, tcpFlow } from "../flow/flows.ts";
import { answered, chat, shop } from "./shop.ts";

const one = (flow: HttpFlow, options?: Parameters<typeof snapshot>[1]): FlowSnapshot =>
  snapshot(new FlowSet([flow]), options)[0]!;
const posted = (body: string | Uint8Array, type?: string) =>
  httpFlow({
    method: "POST",
    url: "http://a.test/",
    body,
    headers: type === undefined ? {} : { "content-type": type },
  });

describe("a snapshot", () => {
  test("of a shop", () => {
    expect(snapshot(shop())).toEqual([
      {
        request: "GET https://shop.test/cart?page=1&sort=price",
        response: { status: 200, headers: { "content-type": "application/json" }, body: { items: [] } },
      },
      {
        request: "POST https://shop.test/orders?coupon=SUMMER&token=[redacted:token-1]",
        headers: {
          authorization: "Bearer [redacted:token-1]",
          "content-type": "application/json",
          cookie: "sid=[redacted:sid-1]",
        },
        body: {
          customer: { id: 7, password: "[redacted:password-1]" },
          items: [{ sku: "A-1", qty: 3 }, { sku: "B-2", qty: 1 }],
        },
        response: { status: 201, headers: { "content-type": "application/json" }, body: { id: 1, state: "open" } },
      },
      {
        request: "POST https://shop.test/orders?coupon=SUMMER",
        headers: { "content-type": "application/json" },
        body: { customer: { id: 8 }, items: [] },
        response: {
          status: 422,
          headers: { "content-type": "application/json" },
          body: { error: "no items", code: "EMPTY" },
        },
      },
      {
        request: "POST https://api.shop.test/graphql",
        headers: { "content-type": "application/json" },
        body: { query: "query Cart {\n  cart {\n    items { sku qty }\n    total\n  }\n}", variables: {} },
        response: { status: 200, headers: { "content-type": "application/json" }, body: { data: {} } },
      },
      { request: "GET https://cdn.test/app.js", error: "UPSTREAM_REFUSED" },
    ]);
  });

  test("is the same in every run, and recorded or replayed", async () => {
    await using folder = await tempFolder();
    const run = async (mode: "record" | "replay") => {
      await using origin = await startOrigin((request) => ({
        headers: [["content-type", "application/json"], ["date", new Date().toUTCString()]],
        body: JSON.stringify({ id: crypto.randomUUID(), at: Date.now(), iso: new Date(), echo: request.text() }),
      }));
      const proxy = await startProxy({
        tape: { path: folder.file("a.har"), mode, match: { origin: { ignore: ["port"] }, body: false } },
      });
      const response = await proxy.fetch(`${origin.url}/orders`, { method: "POST", body: `{"via":"${origin.url}/x"}` });
      await response.text();
      const shown = proxy.snapshot();
      await proxy.close();
      return shown;
    };
    const [first, second, replayed] = [await run("record"), await run("record"), await run("replay")];
    expect(second).toEqual(first);
    // The tape has the body of the recording, in which nothing was replaced.
    expect(JSON.stringify(replayed)).toContain("[id-1]");
    expect(replayed[0]!.request).toBe("POST http://127.0.0.1:[port-1]/orders");
    expect(first[0]).toMatchObject({
      request: "POST http://127.0.0.1:[port-1]/orders",
      body: { via: "http://127.0.0.1:[port-1]/x" },
      response: { status: 200, body: { id: "[id-1]", at: "[time-1]", iso: expect.stringMatching(/^\[time-\d\]$/) } },
    });
  });

  test("numbers what is volatile: what is equal has the same number", () => {
    const id = "550e8400-e29b-41d4-a716-446655440000";
    const other = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    const flow = answered({
      method: "POST",
      url: `http://localhost:4312/users/${id}?since=2024-05-06T07:08:09Z`,
      json: { id, other, ulid: "01ARZ3NDEKTSV4RRFFQ69G5FAV", mongo: "507f1f77bcf86cd799439011", ms: 1714979289123 },
    }, {
      headers: { location: `http://127.0.0.1:4312/users/${other}` },
      body: `[::1]:4313 Mon, 06 May 2024 07:08:09 GMT`,
    });
    expect(one(flow)).toEqual({
      request: "POST http://localhost:[port-1]/users/[id-1]?since=[time-1]",
      headers: { "content-type": "application/json" },
      body: { id: "[id-1]", other: "[id-2]", ulid: "[id-3]", mongo: "[id-4]", ms: "[time-2]" },
      response: {
        status: 200,
        headers: { location: "http://127.0.0.1:[port-1]/users/[id-2]" },
        body: "[::1]:[port-2] [time-3]",
      },
    });
    expect(one(flow, { keep: ["ids", "times", "ports"] }).request).toBe(
      `POST http://localhost:4312/users/${id}?since=2024-05-06T07:08:09Z`,
    );
  });

  test.each<[unknown]>([
    ["v1.2.3"],
    [123456789],
    ["2024-05-06"],
    ["a.test:8080"],
    [1e12 + 0.5],
    ["facefacefacefacefaceface"],
    ["ABCDEFGHJKMNPQRSTVWXYZABCD"],
  ])("leaves %j alone", (value) => {
    expect(one(httpFlow({ method: "POST", url: "http://a.test/", json: { value } })).body).toEqual({ value });
  });

  test("shows bodies as what they are", () => {
    const form = posted("a=1&b=2&b=3&password=hunter2", "application/x-www-form-urlencoded");
    expect(one(form).body).toEqual({ a: "1", b: ["2", "3"], password: "[redacted:password-1]" });
    const upload = posted(
      '--b\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--b--\r\n',
      "multipart/form-data; boundary=b",
    );
    expect(one(upload)).toMatchObject({
      headers: { "content-type": "multipart/form-data" },
      body: { f: { file: "a.png", type: "image/png", size: 3 } },
    });
    expect(one(posted("plain text", "Text/Plain; Charset=UTF-8"))).toMatchObject({
      headers: { "content-type": "text/plain; charset=utf-8" },
      body: "plain text",
    });
    expect(one(posted(Uint8Array.from([0, 1, 255]), "image/png")).body).toBe("[3 bytes, SHA-256 26a66b061e8f48f3]");
    expect(one(posted("", "image/png")).body).toBeUndefined();
    const zipped = posted(gzipSync('{"a":1}'), "application/json");
    zipped.request.headers.set("content-encoding", "gzip");
    expect(one(zipped).body).toEqual({ a: 1 });
    const broken = posted("no gzip", "application/json");
    broken.request.headers.set("content-encoding", "gzip");
    expect(one(broken).body).toMatch(/^\[\d+ bytes, SHA-256 [0-9a-f]{16}\]$/);
    expect(one(posted('{"__proto__": {"a": 1}, "constructor": 2}', "application/json")).body).toMatchObject({
      constructor: 2,
    });
  });

  test("shortens what is long, by a hash that tells whether it is the same", () => {
    const body = (last: string) => one(posted("x".repeat(5000) + last)).body as string;
    expect(body("a")).toMatch(/^x{200}… \[5001 characters, SHA-256 [0-9a-f]{16}\]$/);
    expect(body("a")).toBe(body("a"));
    expect(body("a")).not.toBe(body("b"));
    const rows = { rows: Array.from({ length: 500 }, (_, id) => ({ id })) };
    expect(one(httpFlow({ method: "POST", url: "http://a.test/", json: rows })).body).toMatch(
      /^\{"rows":\[\{"id":0\}.*…/,
    );
    expect(one(httpFlow({ method: "POST", url: "http://a.test/", json: rows }), { maxBody: 1e6 }).body).toEqual(rows);
  });

  test("shows the header fields that are asked for", () => {
    const flow = httpFlow({
      url: "http://a.test/",
      headers: { "X-A": "1", "X-B": ["2", "3"], Date: "now", "User-Agent": "u" },
    });
    expect(one(flow).headers).toBeUndefined();
    expect(one(flow, { headers: ["x-b", "X-A"] }).headers).toEqual({ "x-a": "1", "x-b": ["2", "3"] });
    expect(one(flow, { headers: "all" }).headers).toEqual({ "x-a": "1", "x-b": ["2", "3"] });
  });

  test("shows what was said", () => {
    expect(one(chat())).toEqual({
      request: "GET wss://chat.test/socket",
      response: { status: 200 },
      messages: [
        { client: { type: "hello", token: "[redacted:token-1]" } },
        { server: { type: "welcome" } },
        { client: { type: "ping", n: 1 } },
        { server: { type: "pong", n: 1 } },
        { client: "[4 bytes, SHA-256 3e6f9aae16382bf5]" },
      ],
    });
    expect(snapshot(new FlowSet([tcpFlow()]))).toEqual([{
      request: "TCP db.test:5432",
      messages: [{ client: "[7 bytes, SHA-256 837885c8f8091aea]" }],
    }]);
  });

  test("of a raw conversation does not depend on where the network has cut it", () => {
    const flow = tcpFlow();
    const say = (from: "client" | "server", text: string) => new TcpMessage(from, 1, Buffer.from(text));
    flow.messages.splice(0, 1, say("client", "PI"), say("client", "NG"), say("server", "PONG"), say("client", "QUIT"));
    expect(snapshot(new FlowSet([flow]))[0]!.messages).toEqual([{ client: "PING" }, { server: "PONG" }, {
      client: "QUIT",
    }]);
  });

  test("says what was not kept", async () => {
    await using origin = await startOrigin(() => ({ body: "x".repeat(500) }));
    await using proxy = await startProxy({ capture: { maxBody: 100 } });
    await (await proxy.fetch(origin.url)).text();
    await proxy.waitFor("*", { timeout: 10_000 });
    expect(proxy.snapshot()[0]!.response!.body).toBe("[500 bytes, not kept in full]");
  });

  test("says what has not arrived", () => {
    expect(one(arriving("http://a.test/"))).toEqual({
      request: "GET http://a.test/",
      body: "[has not arrived]",
      pending: true,
    });
  });

  test("of some flows, in an order that does not depend on which came first", () => {
    const flows = new FlowSet(["/c", "/a", "/b"].map((path) => httpFlow(`http://a.test${path}`)));
    const requests = (options: Parameters<typeof snapshot>[1]) =>
      snapshot(flows, options).map(({ request }) => request);
    expect(requests({ order: "url" })).toEqual(["/a", "/b", "/c"].map((path) => `GET http://a.test${path}`));
    expect(requests({ matcher: "/c" })).toEqual(["GET http://a.test/c"]);
  });

  test("replaces what the test names", () => {
    const flow = httpFlow({
      method: "POST",
      url: "http://a.test/orders/ord_77",
      json: { next: "ord_78", same: "ord_77" },
    });
    expect(one(flow, { replace: { order: /ord_\d+/ } })).toMatchObject({
      request: "POST http://a.test/orders/[order-1]",
      body: { next: "[order-2]", same: "[order-1]" },
    });
  });

  test("redacts as the tape does, and as it is told", async () => {
    await using folder = await tempFolder();
    const redact = { json: ["$.user.name"] };
    const proxy = await startProxy({
      tape: { path: folder.file("a.har"), mode: "record", redact },
      rules: [["*", respond({ json: { keyring: "Zx8Kq2vLw9Rt4Yp7Nm3Bs6Dg1Hj5Fc0A" } })]],
    });
    await (await proxy.fetch("http://a.test/", {
      method: "POST",
      body: JSON.stringify({ user: { name: "Ann", age: 7 } }),
    })).text();
    expect(proxy.snapshot()[0]!.body).toEqual({ user: { name: "[redacted:name-1]", age: 7 } });
    // A tape would be refused for it.
    expect(proxy.snapshot()[0]!.response!.body).toEqual({ keyring: "[redacted:looks-random]" });
    expect(proxy.snapshot({ redact: false })[0]!.body).toEqual({ user: { name: "Ann", age: 7 } });
    await proxy.close({ failed: true });
  });

  test.each([
    [{ ordre: "url" }, 'option ordre is not known; did you mean "order"?'],
    [{ order: "time" }, 'option order is "time": "began" or "url" is accepted'],
    [{ keep: ["id"] }, 'option keep[0] is "id": "ids" or "ports" or "times" is accepted'],
    [{ headers: "some" }, 'option headers is "some": an array is accepted'],
    [{ replace: { a: "x" } }, 'option replace.a is "x": a RegExp is accepted'],
    [{ matcher: "x y" }, "option matcher"],
    [{ maxBody: -1 }, "option maxBody is -1"],
    [{ redact: 1 }, "redact"],
  ])("%j is refused", (options, message) => {
    expect(() => snapshot(new FlowSet(), options as object)).toThrow(message);
  });
});
