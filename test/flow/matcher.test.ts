import { describe, expect, test } from "vitest";
import { all, any, not } from "../../src/flow/matcher/combine.ts";
import { compile } from "../../src/flow/matcher/compile.ts";
import type { CompiledMatcher, Matcher } from "../../src/flow/matcher/types.ts";
import { arriving, httpFlow, tcpFlow } from "./flows.ts";

const flow = httpFlow({ method: "POST", url: "https://shop.test/orders?a=1", json: { qty: 2 } });

describe("forms of a matcher", () => {
  test("a RegExp sees the absolute URL, whatever its flags", () => {
    const matcher = compile(/^https:.*ORDERS\?a/gi);
    expect([1, 2, 3].map(() => matcher.matches(flow))).toEqual([true, true, true]);
    expect(compile(/^orders/).matches(flow)).toBe(false);
  });

  test("a URLPattern, also one of a polyfill", () => {
    const pattern = {
      protocol: "https",
      hostname: "shop.test",
      port: "",
      pathname: "/orders",
      search: "*",
      test: (url: string) => url.startsWith("https://shop.test/orders"),
      exec: () => null,
    } as unknown as URLPattern;
    expect(compile(pattern).matches(flow)).toBe(true);
    expect(compile({ url: pattern }).matches(flow)).toBe(true);
    expect(compile(pattern).matches(httpFlow("https://shop.test/"))).toBe(false);
    expect(compile(pattern).compare!(flow)[0]!.expected).toBe("URLPattern(https://shop.test/orders)");
    if (typeof URLPattern === "function") {
      expect(compile(new URLPattern({ pathname: "/orders" })).matches(flow)).toBe(true);
    }
  });

  test("a function is told of HTTP flows only, and may throw", () => {
    const matcher = compile((flow) => flow.request.method === "POST");
    expect(matcher.matches(flow)).toBe(true);
    expect(matcher.matches(tcpFlow())).toBe(false);
    const broken = compile(() => {
      throw new Error("mine");
    });
    expect(() => broken.matches(flow)).toThrow("mine");
  });

  test("a function that answers later would match everything: it is refused", () => {
    const matcher = compile((() => Promise.resolve(false)) as unknown as Matcher, "rules[1]");
    expect(() => matcher.matches(flow)).toThrow("rules[1]: the function");
    expect(() => matcher.matches(flow)).toThrow("returned a promise");
  });

  test("a compiled matcher stays what it is", () => {
    const matcher = compile("/orders");
    expect(compile(matcher)).toBe(matcher);
    const own: CompiledMatcher = { description: "mine", matches: () => true };
    expect(compile(own)).toBe(own);
  });

  test.each<[unknown, string]>([
    [null, "rules[0] is null"],
    [undefined, "rules[0] is undefined"],
    [7, "rules[0] is 7"],
    [["/a"], 'rules[0] is ["/a"]'],
    [expect.anything(), "rules[0] is Anything"],
  ])("%s is none", (value, message) => {
    expect(() => compile(value as Matcher, "rules[0]")).toThrow(`${message}, which is not a matcher`);
  });
});

describe("descriptions", () => {
  const isOrder = () => true;
  test.each<[Matcher, string]>([
    ["POST  https://shop.test/orders/:id", "POST https://shop.test/orders/:id"],
    ["/login?token=abc&a=1", "/login?token=[redacted]&a=1"],
    [/a\/b/g, "/a\\/b/g"],
    [{}, "any request"],
    [{ method: "POST", json: { qty: 2, "a-b": [1, "x"] } }, '{ method: "POST", json: { qty: 2, "a-b": [1, "x"] } }'],
    [{ headers: { authorization: "Bearer abc" } }, "{ headers: { authorization: [redacted] } }"],
    [{ cookies: { a: "1" } }, '{ cookies: { a: "[redacted]" } }'],
    [{ json: { user: { password: "x", name: /n/ } } }, "{ json: { user: { password: [redacted], name: /n/ } } }"],
    [isOrder, "isOrder"],
    [all("/a", not(/b/)), "all(/a, not(/b/))"],
    [any("/a", { method: "PUT" }), 'any(/a, { method: "PUT" })'],
  ])("%s", (matcher, description) => {
    expect(compile(matcher).description).toBe(description);
  });

  test("a function without a name is its source on one line", () => {
    // deno-fmt-ignore -- the source is what is tested
    const [predicate] = [(flow: { request: { method: string } }) =>
      flow.request.method === "POST"];
    expect(compile(predicate!).description).toMatch(/^\(?flow\)? ?=> ?flow\.request\.method === "POST"$/);
  });
});

describe("all, any, not", () => {
  test.each<[string, CompiledMatcher, boolean]>([
    ["all of none", all(), true],
    ["any of none", any(), false],
    ["all", all("POST *", { host: "shop.test" }), true],
    ["all but one", all("POST *", { host: "other.test" }), false],
    ["any", any("/nothing", /orders/), true],
    ["any of two wrong", any("/nothing", "/never"), false],
    ["not", not("/nothing"), true],
    ["not not", not(not("/nothing")), false],
    ["nested", all(any("/x", "/orders"), not(any("/y", "PUT *"))), true],
  ])("%s", (_, matcher, expected) => {
    expect(matcher.matches(flow)).toBe(expected);
    const comparisons = matcher.compare!(flow);
    expect(comparisons.every((one) => one.matches)).toBe(expected);
  });

  test("say which argument cannot be read", () => {
    expect(() => all("/a", "b/c")).toThrow('argument 2 of all(): "b/c"');
    expect(() => any(null as unknown as Matcher)).toThrow("argument 1 of any() is null");
    expect(() => not({ metod: 1 } as Matcher)).toThrow("the argument of not()");
  });

  test("a body that is still coming decides nothing that is decided without it", () => {
    const late = arriving({ method: "POST", url: "https://shop.test/orders" });
    expect(all({ json: {} }, "GET *").matches(late)).toBe(false);
    expect(any({ json: {} }, "POST *").matches(late)).toBe(true);
    expect(() => all({ json: {} }, "POST *").matches(late)).toThrow("has not arrived");
    expect(() => any({ json: {} }, "GET *").matches(late)).toThrow("has not arrived");
    expect(() => not({ json: {} }).matches(late)).toThrow("has not arrived");
  });

  test.each<[string, CompiledMatcher, object | undefined]>([
    ["all joins", all("POST *", { host: "shop.test" }), { method: "POST", hostname: "shop.test" }],
    ["any keeps what is common", any("POST /a", "POST /b"), { method: "POST" }],
    ["any of different ones", any("POST /a", "GET /b"), undefined],
    ["any with one that is open", any("POST /a", /b/), undefined],
    ["not", not("POST /a"), undefined],
  ])("key: %s", (_, matcher, key) => {
    expect(matcher.key).toEqual(key);
  });
});

describe("comparisons", () => {
  test("go field by field, down to the place in the JSON", () => {
    const matcher = compile({ method: "PUT", url: "https://shop.test/orders", query: { a: 2 }, json: { qty: 3 } });
    expect(matcher.compare!(flow).filter((one) => !one.matches)).toEqual([
      { field: "method", expected: "PUT", actual: "POST", matches: false },
      { field: "query.a", expected: '"2"', actual: '"1"', matches: false },
      { field: "json.qty", expected: "3", actual: "2", matches: false },
    ]);
  });

  test.each<[unknown, unknown, [string, string, string | undefined][]]>([
    [{ items: [{ qty: 1 }] }, { items: [{ qty: 2 }] }, [["json.items[0].qty", "1", "2"]]],
    [{ items: [1, 2] }, { items: [1] }, [["json.items.length", "2", "1"]]],
    [[1], { 0: 1 }, [["json", "[1]", '{ "0": 1 }']]],
    [{ a: { b: 1 } }, {}, [["json.a", "{ b: 1 }", undefined]]],
    [{ a: undefined }, { a: 1 }, [["json.a", "absent", "1"]]],
    [{ "x y": 1 }, { "x y": "1" }, [['json["x y"]', "1", '"1"']]],
    [{ id: /^\d+$/ }, { id: "x" }, [["json.id", "/^\\d+$/", '"x"']]],
    [{ id: expect.any(Number) }, { id: "x" }, [["json.id", "Any<Number>", '"x"']]],
    [{ token: "a" }, { token: "b" }, [["json.token", "[redacted]", "[redacted]"]]],
    [{ auth: { user: "a" } }, { auth: { user: "b" } }, [["json.auth.user", "[redacted]", "[redacted]"]]],
  ])("json %j %j", (expected, actual, differences) => {
    const found = compile({ json: expected }).compare!(httpFlow({ url: "http://a.test/", json: actual }))
      .filter((one) => !one.matches);
    // Bun's own asymmetric matchers describe themselves in their own way.
    const text = (value: string) => value.replace(/^Any<?.*/, "Any");
    expect(found.map((one) => [one.field, text(one.expected), one.actual])).toEqual(
      differences.map(([field, wanted, received]) => [field, text(wanted), received]),
    );
  });

  test("say why a body could not be read", () => {
    const because = (matcher: Matcher, init: Parameters<typeof httpFlow>[0]) =>
      compile(matcher).compare!(httpFlow(init))[0]!.actual;
    expect(because({ json: {} }, "http://a.test/")).toBe("no body");
    expect(because({ json: {} }, { url: "http://a.test/", body: "<html>" })).toBe('not JSON: "<html>"');
    expect(because({ form: { a: 1 } }, { url: "http://a.test/", json: {} }))
      .toBe("not a form: content-type application/json");
    expect(because({ body: "x" }, { url: "http://a.test/", headers: { "content-encoding": "gzip" }, body: "x" }))
      .toMatch(/^the gzip body cannot be decoded/);
  });

  test("a raw conversation is not a request", () => {
    expect(compile("/a").compare!(tcpFlow())).toEqual([
      { field: "type", expected: "an HTTP request", actual: "a tcp conversation", matches: false },
    ]);
  });
});
