import { describe, expect, test } from "vitest";
import { http, HttpResponse } from "msw";
import { compile } from "../../src/flow/matcher/compile.ts";
import { respond, RuleEngine, type RuleLike } from "../../src/rules/mod.ts";
import { ruleLine } from "../../src/rules/rule_line.ts";
import { type FlowInit, httpFlow } from "../flow/flows.ts";

const order: FlowInit = { method: "POST", url: "https://shop.test/orders", json: { qty: 3 } };
const missOf = (rules: RuleLike[], init: FlowInit = order) => new RuleEngine({ rules }).missOf(httpFlow(init));

describe("the nearest rule", () => {
  test("of several, with what differs", () => {
    const { nearest } = missOf([
      ["GET https://cdn.test/*", "forward"],
      ["POST https://shop.test/baskets", "drop"],
      [{ method: "POST", path: "/orders", json: { qty: 2 } }, respond({})],
    ]);
    expect(nearest).toHaveLength(1);
    expect(nearest[0]!.title).toBe('rules[2], { method: "POST", path: "/orders", json: { qty: 2 } }');
    expect(nearest[0]!.comparisons.filter(({ matches }) => !matches)).toEqual([
      { field: "json.qty", expected: "2", actual: "3", matches: false },
    ]);
  });

  test("has its name, and may be a handler of MSW", () => {
    expect(missOf([["POST https://shop.test/order", "drop", { name: "outage" }]]).nearest[0]?.title).toBe(
      "rules[0], outage",
    );
    const handler = http.post("https://shop.test/order", () => HttpResponse.json({}));
    expect(missOf([handler]).nearest[0]?.title).toBe("rules[0], POST https://shop.test/order");
  });

  test("is none that was meant for others, that matched and let it pass, or that throws", () => {
    expect(missOf([["GET https://cdn.test/logo.png", "drop"]]).nearest).toEqual([]);
    expect(missOf([["POST *", "forward"]]).nearest).toEqual([]);
    expect(
      missOf([[() => {
        throw new Error("mine");
      }, "drop"]]).nearest,
    ).toEqual([]);
    expect(missOf([http.get(/orders$/, () => HttpResponse.json({}))]).nearest).toEqual([]);
    expect(missOf([]).nearest).toEqual([]);
  });

  test("the line to add comes with it", () => {
    expect(missOf([]).advice).toEqual([
      { text: "to answer it with a rule", code: '["POST https://shop.test/orders", respond({ json: {} })]' },
    ]);
  });
});

describe("a line that can be pasted", () => {
  test.each<[FlowInit | string, string]>([
    ["https://shop.test/a/b?page=1&token=x", '["GET https://shop.test/a/b", respond({ json: {} })]'],
    [{ method: "POST", url: "http://127.0.0.1:41234/a?x=1" }, '["POST /a", respond({ json: {} })]'],
    ["http://localhost:41234/", '["GET /", respond({ json: {} })]'],
    ["https://shop.test:8443/a", '["GET https://shop.test:8443/a", respond({ json: {} })]'],
    ["https://shop.test/a*b/:id/c:d", '["GET https://shop.test/a\\\\*b/\\\\:id/c:d", respond({ json: {} })]'],
    ["https://shop.test/a{b}", '["GET https://shop.test/a%7Bb%7D", respond({ json: {} })]'],
    [
      { method: "m-search", url: "https://shop.test/a.b" },
      "[{ path: /^\\/a\\.b$/ }, respond({ json: {} })]",
    ],
    ["wss://chat.test/socket", '["GET wss://chat.test/socket", respondWebSocket(() => {})]'],
  ])("%j: %s", (init, line) => {
    const flow = httpFlow(init);
    expect(ruleLine(flow.request)).toBe(line);
    // What is printed matches what it was made from.
    // deno-lint-ignore no-eval -- it is our own line
    const [matcher] = eval(`((respond, respondWebSocket) => (${line}))`)(() => {}, () => {});
    expect(compile(matcher).matches(flow)).toBe(true);
  });

  test("holds no secret", () => {
    const token =
      `eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${"dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"}`;
    const flow = httpFlow(`https://shop.test/login/${token}/x`);
    expect(ruleLine(flow.request)).toBe('["GET https://shop.test/login/*/x", respond({ json: {} })]');
  });
});
