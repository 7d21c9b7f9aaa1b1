// Requests that go elsewhere: through a proxy, to real servers.
import { describe, expect, test } from "vitest";
import type { HttpFlow } from "../../src/mod.ts";
import { edit, OptionsError, rewrite, RuleEngine, startProxy } from "../../src/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { rawRequest } from "../support/raw_client.ts";
import { pass } from "./pass.ts";

type To = Parameters<typeof rewrite>[0];

async function target(to: To, url: string): Promise<string> {
  const { flow } = await pass(new RuleEngine({ rules: [[() => true, rewrite(to)]] }), { url });
  return flow.request.url;
}

describe("where a request goes", () => {
  test.each<[To, string, string]>([
    ["http://b.test", "https://a.test/a/b?q=1", "http://b.test/a/b?q=1"],
    ["http://b.test/", "https://a.test/a/b?q=1", "http://b.test/a/b?q=1"],
    ["https://b.test:8443", "http://a.test/a/b?q=1", "https://b.test:8443/a/b?q=1"],
    [new URL("http://b.test:81"), "http://a.test/", "http://b.test:81/"],
    ["http://b.test/v2/*", "http://a.test/a/b?q=1", "http://b.test/v2/a/b?q=1"],
    ["http://b.test/v2/*", "http://a.test/", "http://b.test/v2/"],
    ["http://b.test/v2/*?x=2", "http://a.test/$&?q=1", "http://b.test/v2/$&?x=2"],
    ["http://b.test/other", "http://a.test/a/b?q=1", "http://b.test/other?q=1"],
    ["http://b.test/other?x=2", "http://a.test/a/b?q=1", "http://b.test/other?x=2"],
    ["/other", "http://a.test:81/a/b?q=1", "http://a.test:81/other?q=1"],
    ["/", "http://a.test/a/b?q=1", "http://a.test/?q=1"],
    ["http://b.test", "http://a.test/a%2fb//c|d?q=a%20b&q=%zz", "http://b.test/a%2fb//c|d?q=a%20b&q=%zz"],
    [() => "http://b.test", "http://a.test/a?q=1", "http://b.test/a?q=1"],
    [() => "/x", "http://a.test/a?q=1", "http://a.test/x"],
    [() => new URL("http://b.test/x?y=2"), "http://a.test/a?q=1", "http://b.test/x?y=2"],
    [({ request }) => request.url.replace("/v1/", "/v2/"), "http://a.test/v1/a?q=1", "http://a.test/v2/a?q=1"],
    ["http://[::1]:81", "http://a.test/", "http://[::1]:81/"],
  ])("%s for %s", async (to, url, expected) => {
    expect(await target(to, url)).toBe(expected);
  });

  test("OPTIONS * stays what it is", async () => {
    const flow = await pass(new RuleEngine({ rules: [[() => true, rewrite("http://b.test")]] }), {
      method: "OPTIONS",
      addons: { before: [{ requestHeaders: (flow: HttpFlow) => void (flow.request.target = "*") }] },
    });
    expect([flow.flow.request.hostname, flow.flow.request.target]).toEqual(["b.test", "*"]);
  });
});

describe("what the server sees", () => {
  test("its own name in Host, or the one that was asked for; the flow keeps what was asked for", async () => {
    await using origin = await startOrigin();
    const host = `127.0.0.1:${origin.port}`;
    await using proxy = await startProxy({
      rules: [
        ["http://follow.test/*", rewrite(`http://${host}`)],
        ["http://keep.test/*", rewrite(`http://${host}/v2/*`, { host: "keep" })],
      ],
    });
    for (const name of ["follow", "keep"]) {
      const response = await rawRequest(
        proxy.port,
        `GET http://${name}.test/a?q=1 HTTP/1.1\r\nHost: ${name}.test\r\nX-A: 1\r\nConnection: close\r\n\r\n`,
      );
      expect(response).toMatch(/^HTTP\/1.1 200 /);
    }
    expect(origin.requests.map(({ target, headers }) => [target, headers[0]])).toEqual([
      ["/a?q=1", ["Host", host]],
      ["/v2/a?q=1", ["Host", "keep.test"]],
    ]);
    expect(proxy.flows.requests.map(({ url, originalUrl }) => [url, originalUrl])).toEqual([
      [`http://${host}/a?q=1`, "http://follow.test/a?q=1"],
      [`http://${host}/v2/a?q=1`, "http://keep.test/a?q=1"],
    ]);
  });

  test("https becomes http, and http https; a body goes along", async () => {
    await using plain = await startOrigin((request) => ({ body: `plain ${request.text()}` }));
    await using secure = await startOrigin((request) => ({ body: `secure ${request.text()}` }), { tls: true });
    await using proxy = await startProxy({
      upstream: { ca: secure.ca },
      rules: [["https://a.test/*", rewrite(plain.url)], ["http://a.test/*", rewrite(secure.url)]],
    });
    const post = async (url: string) => await (await proxy.fetch(url, { method: "POST", body: "hello" })).text();
    expect(await post("https://a.test/")).toBe("plain hello");
    expect(await post("http://a.test/")).toBe("secure hello");
  });
});

test("a request that nobody changes has one URL; every change keeps the first", async () => {
  const changed = async (change: (flow: HttpFlow) => void) => {
    const { flow } = await pass(new RuleEngine({ rules: [["/a", change]] }), { url: "http://a.test/a?b=1" });
    return [flow.request.url, flow.request.originalUrl];
  };
  const first = "http://a.test/a?b=1";
  expect(await changed(() => {})).toEqual([first, first]);
  expect(await changed(({ request }) => void (request.path = "/x"))).toEqual(["http://a.test/x?b=1", first]);
  expect(await changed(({ request }) => void request.query.set("b", "2"))).toEqual(["http://a.test/a?b=2", first]);
  expect(
    await changed(({ request }) => {
      request.hostname = "b.test";
      request.port = 81;
      request.url = "http://c.test/";
    }),
  ).toEqual(["http://c.test/", first]);
  expect(await changed((flow) => edit({ request: { url: "http://b.test/x" } })(flow))).toEqual([
    "http://b.test/x",
    first,
  ]);
});

// deno-lint-ignore no-explicit-any -- wrong on purpose
type Wrong = any;

test.each<[() => unknown, string]>([
  [() => rewrite("b.test"), 'such as "/other", not to "b.test"'],
  [() => rewrite("//b.test/"), 'not to "//b.test/"'],
  [() => rewrite("ftp://b.test/"), "not to"],
  [() => rewrite("http://user:secret@"), "not to"],
  [() => rewrite(7 as Wrong), "not to 7"],
  [
    () => rewrite("http://b.test", { host: "kept" } as Wrong),
    'host of rewrite() is "kept": "follow" or "keep" is accepted',
  ],
  [
    () => rewrite("http://b.test", { hsot: "keep" } as Wrong),
    'the options of rewrite() do not know "hsot"; did you mean "host"?',
  ],
])("%s is refused", (make, message) => {
  expect(make).toThrow(OptionsError);
  expect(make).toThrow(message);
});

test.each<[string, Wrong]>([["nothing", () => {}], ["a promise", () => Promise.resolve("http://b.test")], [
  "a name",
  () => "b.test",
]])(
  "a function that returns %s fails its flow",
  async (_, to) => {
    const engine = new RuleEngine({ rules: [["/", rewrite(to)]] });
    await expect(pass(engine)).rejects.toThrow("rules[0] (/): rewrite() goes to an absolute URL");
  },
);
