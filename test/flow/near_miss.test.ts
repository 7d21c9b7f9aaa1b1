import { describe, expect, test } from "vitest";
import { compareRequests } from "../../src/flow/compare_requests.ts";
import { compile } from "../../src/flow/matcher/compile.ts";
import { any } from "../../src/flow/matcher/combine.ts";
import type { Matcher } from "../../src/flow/matcher/types.ts";
import { nearest, rank, renderComparisons, renderNearMisses } from "../../src/flow/near_miss.ts";
import { type FlowInit, httpFlow, tcpFlow } from "./flows.ts";

const shown = (matcher: Matcher, ...flows: (FlowInit | string)[]) =>
  `\n${renderNearMisses(nearest(compile(matcher), flows.map(httpFlow)))}\n`;
const order: FlowInit = { method: "POST", url: "https://shop.test/orders", json: { qty: 3, sku: "A" }, status: 201 };

describe("near misses", () => {
  test("show what fits in short, and what does not as a diff", () => {
    expect(shown({ method: "POST", url: "https://shop.test/orders?dry", json: { qty: 2, sku: "A" } }, order)).toBe(`
  POST https://shop.test/orders (201, upstream)
    matches: method, scheme, host, port, path, json.sku
  - query.dry: present
  + query.dry: absent
  - json.qty: 2
  + json.qty: 3
`);
  });

  test("are few, and the nearest first", () => {
    const flows = [
      "https://cdn.test/logo.png",
      "https://shop.test/",
      "https://shop.test/orders/7/items",
      "https://shop.test/order/7",
      "http://other.test/a/b/c/d",
    ].map(httpFlow);
    const misses = nearest(compile("POST https://shop.test/orders/:id"), [...flows, tcpFlow()]);
    expect(misses.map((miss) => flows.indexOf(miss.subject as typeof flows[0]))).toEqual([3, 2, 1]);
    expect(nearest(compile("POST https://shop.test/orders/:id"), flows, 1)).toHaveLength(1);
  });

  test.each<[string, Matcher, FlowInit | string, FlowInit | string]>([
    ["a wrong method is nearer than a wrong path", "POST http://a.test/x", "http://a.test/x", {
      method: "POST",
      url: "http://a.test/y",
    }],
    ["a wrong header is nearer than a wrong host", { host: "a.test", headers: { x: 1 } }, "http://a.test/", {
      url: "http://zz.example/",
      headers: { x: "1" },
    }],
    [
      "one wrong segment is nearer than two",
      "/api/orders/7",
      "http://a.test/api/orders/8",
      "http://a.test/v2/orders/8",
    ],
    ["a slip of the pen is nearer than another word", "/orders", "http://a.test/order", "http://a.test/logins"],
    ["an extra segment is nearer than another path", "/orders/:id", "http://a.test/orders/7/x", "http://a.test/a/b/c"],
    ["a wrong parameter is nearer than two", "/?a=1&b=2", "http://a.test/?a=1", "http://a.test/"],
    ["one wrong JSON field is nearer than no JSON", { json: { a: 1, b: 2 } }, {
      url: "http://a.test/",
      json: { a: 1, b: 3 },
    }, { url: "http://a.test/", body: "a" }],
  ])("%s", (_, matcher, nearer, farther) => {
    const flows = [httpFlow(farther), httpFlow(nearer)];
    expect(nearest(compile(matcher), flows)[0]!.subject).toBe(flows[1]);
  });

  test("what matches is no near miss", () => {
    expect(nearest(compile("POST *"), [httpFlow(order)])).toEqual([]);
  });

  test("of alternatives the nearest is explained", () => {
    expect(shown(any("GET https://other.test/x", "POST https://shop.test/order"), order)).toBe(`
  POST https://shop.test/orders (201, upstream)
    matches: method, scheme, host, port
  - path: /order
  + path: /orders
`);
  });

  test("of a matcher that explains nothing, the whole is shown", () => {
    expect(shown({ description: "is mine", matches: () => false }, "http://a.test/x?token=abc")).toBe(`
  GET http://a.test/x?token=[redacted] (pending, upstream)
  - matcher: is mine
  + matcher: GET http://a.test/x?token=[redacted]
`);
  });

  test("anything that can be compared can be ranked", () => {
    const ranked = rank([3, 8, 5], (n) => [
      { field: "method", expected: "", actual: "", matches: true },
      { field: "path", expected: "/aaaaaaaa", actual: `/${"a".repeat(n)}`, matches: n === 8 },
    ]);
    expect(ranked.map((miss) => miss.subject)).toEqual([5, 3]);
  });
});

describe("nothing secret is printed", () => {
  const secret = "hunter2-very-secret";
  const flow: FlowInit = {
    method: "POST",
    url: `http://a.test/?api_key=${secret}&page=1`,
    headers: { authorization: `Bearer ${secret}`, cookie: `sid=${secret}; theme=${secret}`, "x-auth-token": secret },
    json: { user: { password: secret, name: "Ann" }, list: [{ accessToken: secret }] },
  };
  test.each<[string, Matcher]>([
    ["headers", { headers: { authorization: "Bearer x", cookie: /x/, "x-auth-token": ["a", "b"], "x-y": true } }],
    ["cookies", { cookies: { sid: "x", theme: "x" } }],
    ["query", { query: { api_key: "x", page: 2 } }],
    ["json", { json: { user: { password: "x", name: "Bob" }, list: [{ accessToken: "y" }, {}] } }],
    ["a whole object", { json: { user: 7, list: "x" } }],
    ["url", { url: /x/ }],
    ["body", { body: "x" }],
    ["body pattern", { body: /xx/ }],
    ["not a form", { form: { a: "x" } }],
    ["what is wanted", { headers: { authorization: secret }, cookies: { sid: [secret, ""] }, json: { token: secret } }],
  ])("%s", (_, matcher) => {
    const text = shown(matcher, flow) + compile(matcher).description;
    expect(text).toContain("[redacted]");
    expect(text).not.toContain("hunter2");
  });

  test("nor of a body that is nearly JSON", () => {
    const text = shown({ json: { a: 1 } }, { url: "http://a.test/", body: `{"password": "${secret}",}` });
    expect(text).toContain("+ json: not JSON: ");
    expect(text).not.toContain("hunter2");
  });

  test("also when two requests are compared", () => {
    const [a, b] = [
      httpFlow(flow).request,
      httpFlow({ ...flow, url: "http://a.test/?api_key=other", json: {} }).request,
    ];
    const text = renderComparisons(compareRequests(a, b, { headers: ["authorization", "cookie"] }));
    const texts = [`a=1&token=${secret}`, "a=2"].map((body) => httpFlow({ url: "http://a.test/", body }).request);
    const compared = renderComparisons(compareRequests(texts[0]!, texts[1]!));
    expect(compared).toContain('- body: "a=1&token=[redacted]"');
    expect(text).toContain("- query.api_key: [redacted]\n  + query.api_key: [redacted] (another one)");
    expect(text).not.toContain("hunter2");
  });

  test("and nothing long is printed in full", () => {
    const long = "x".repeat(100_000);
    for (
      const matcher of [{ json: { a: "b" } }, { body: "y" }, { body: /y/ }, { json: { a: `y${long}` } }, { json: 1 }]
    ) {
      const miss = shown(matcher, { method: "POST", url: "http://a.test/", json: { a: long } });
      expect(miss.length).toBeLessThan(5000);
    }
  });
});

describe("two requests", () => {
  const compared = (wanted: FlowInit | string, actual: FlowInit | string) =>
    `\n${renderComparisons(compareRequests(httpFlow(wanted).request, httpFlow(actual).request), { indent: "" })}\n`;

  test("are compared part by part", () => {
    const wanted = { method: "POST", url: "https://shop.test/orders?page=1&sort=up", json: { a: [1, { b: 2 }], c: 1 } };
    const actual = { method: "PUT", url: "http://shop.test:81/order?page=2&x=1", json: { a: [1, { b: 3 }], d: 1 } };
    expect(compared(wanted, actual)).toBe(`
  matches: host, json.a[0]
- method: POST
+ method: PUT
- scheme: https
+ scheme: http
- port: 443
+ port: 81
- path: /orders
+ path: /order
- query.page: "1"
+ query.page: "2"
- query.sort: "up"
+ query.sort: absent
- query.x: absent
+ query.x: "1"
- json.a[1].b: 2
+ json.a[1].b: 3
- json.c: 1
+ json.c: absent
- json.d: absent
+ json.d: 1
`);
  });

  test("forms field by field", () => {
    const form = (body: string): FlowInit => {
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      return { method: "POST", url: "http://a.test/", headers, body };
    };
    expect(compared(form("a=1&b=2&password=x"), form("a=1&b=3&password=y"))).toBe(`
  matches: method, scheme, host, port, path, form.a
- form.b: "2"
+ form.b: "3"
- form.password: [redacted]
+ form.password: [redacted] (another one)
`);
  });

  test("text around the first difference", () => {
    const text = (word: string): FlowInit => ({
      method: "POST",
      url: "http://a.test/",
      body: `${"lorem ipsum ".repeat(100)}${word}${" dolor".repeat(100)}`,
    });
    const [, minus, plus] = compared(text("ONE"), text("TWO")).trim().split("\n");
    expect(minus).toMatch(/^- body: ….*lorem ipsum ONE dolor.*…$/);
    expect(plus).toMatch(/^\+ body: ….*lorem ipsum TWO dolor.*…$/);
    expect(minus!.length).toBeLessThan(350);
  });

  test("bytes by their number", () => {
    const bytes = (...list: number[]): FlowInit => {
      const headers = { "content-type": "application/octet-stream" };
      return { method: "POST", url: "http://a.test/", headers, body: Uint8Array.from(list) };
    };
    expect(compared(bytes(1, 2), bytes(1, 255, 3))).toBe(`
  matches: method, scheme, host, port, path
- body: 2 bytes <01 02>
+ body: 3 bytes <01 ff 03>
`);
    expect(compared(bytes(1, 2), bytes())).toContain("- body: 2 bytes <01 02>\n+ body: absent");
  });

  test("bodies that cannot be read", () => {
    const broken = { url: "http://a.test/", headers: { "content-encoding": "gzip" }, body: "no gzip" };
    expect(compared("http://a.test/", broken)).toContain(
      "- body: a body that can be read\n+ body: the gzip body cannot be decoded",
    );
  });

  test("the same ones", () => {
    expect(compared(order, order)).toBe("\n  matches: method, scheme, host, port, path, body\n");
  });
});
