import { describe, expect, test } from "vitest";
import type { HttpFlow } from "../../src/flow/http_flow.ts";
import type { CompiledMatcher, Matcher } from "../../src/flow/matcher/types.ts";
import { compile } from "../../src/flow/matcher/compile.ts";
import { respond, RuleEngine, type RuleLike } from "../../src/rules/mod.ts";
import { Chain, Slot } from "../../src/rules/rule_index.ts";
import { Cursor } from "../../src/rules/rule_list.ts";
import { answer } from "./pass.ts";

const say = (text: string) => respond({ body: text });

test.each<[number[][], number, number[]]>([
  [[], 0, []],
  [[[0, 1, 2]], 0, [0, 1, 2]],
  [[[0, 5], [1, 7], [2, 3]], 0, [0, 1, 2, 3, 5, 7]],
  [[[0, 5], [1, 7], [2, 3]], 3, [3, 5, 7]],
  [[[1], [0]], 2, []],
])("lists %j from %i on: %j", (lists, from, expected) => {
  const chains = lists.filter((places) => places.length > 0).map((places) => {
    const chain = new Chain();
    for (const place of places) chain.add(new Slot(place, { place: "", description: "", attempt: () => undefined }));
    return chain.first!;
  });
  const cursor = new Cursor(chains, from);
  const found: number[] = [];
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) found.push(slot.place);
  expect(found).toEqual(expected);
});

describe("with 1,000 rules", () => {
  /** Counts how often matchers are asked. */
  function counting() {
    let asked = 0;
    const count = (matcher: CompiledMatcher): CompiledMatcher => ({
      ...matcher,
      matches: (flow) => (asked++, matcher.matches(flow)),
    });
    return { count, asked: () => asked };
  }

  const forms: [string, (i: number) => Matcher, (i: number) => string][] = [
    ["method, host and path", (i) => `GET https://h${i}.test/p${i}`, (i) => `https://h${i}.test/p${i}`],
    ["paths of one host", (i) => `https://a.test/p${i}`, (i) => `https://a.test/p${i}?q=1`],
    ["paths of any host", (i) => ({ path: `/p${i}`, method: "GET" }), (i) => `https://any.test/p${i}`],
    ["hosts", (i) => ({ host: `h${i}.test` }), (i) => `https://h${i}.test/any`],
    ["patterns by host", (i) => `https://h${i}.test/users/:id`, (i) => `https://h${i}.test/users/1`],
  ];

  test.each(forms)("%s: one matcher is asked", async (_, matcher, url) => {
    const { count, asked } = counting();
    const rules = Array.from({ length: 1000 }, (_, i): RuleLike => [count(compile(matcher(i))), say(`${i}`)]);
    const engine = new RuleEngine({ rules });
    for (const i of [0, 1, 500, 999]) expect(await answer(engine, url(i))).toBe(`${i}`);
    expect(asked()).toBe(4);
    expect(await answer(engine, url(1000))).toBe("forwarded");
    expect(asked()).toBe(4);
  });

  test("the order of the list decides, whatever the form of a rule", async () => {
    const url = "https://a.test/p";
    const matchers: Matcher[] = [
      "GET https://a.test/p",
      { host: "a.test" },
      { path: "/p" },
      { method: "get" },
      () => true,
      /a\.test/,
      "https://a.test/:any",
      { method: ["GET", "PUT"] },
    ];
    for (const [shift] of matchers.entries()) {
      const rotated = [...matchers.slice(shift), ...matchers.slice(0, shift)];
      const rules = rotated.flatMap((matcher, i): RuleLike[] => [
        ["https://a.test/other", "drop"],
        [matcher, say(`${i}`)],
      ]);
      const engine = new RuleEngine({ rules });
      for (const i of rotated.keys()) {
        expect(await answer(engine, url)).toBe("0");
        engine.use([url, say(`used ${i}`)]).dispose();
      }
    }
  });
});

test("a rule is found where an earlier addon has sent the request", async () => {
  const engine = new RuleEngine({ rules: [["POST http://b.test/x", say("found")]] });
  const before = [{
    requestHeaders(flow: HttpFlow) {
      flow.request.url = "http://b.test/x";
      flow.request.method = "POST";
    },
  }];
  expect(await answer(engine, { url: "http://a.test/", addons: { before } })).toBe("found");
});

test("what the index has not compared is compared: scheme, port, the case of the method", async () => {
  const engine = new RuleEngine({
    rules: [
      ["GET https://a.test/x", say("https")],
      ["GET http://a.test:81/x", say("81")],
      ["GET http://a.test/x", say("http")],
    ],
  });
  expect(await answer(engine, "https://a.test/x")).toBe("https");
  expect(await answer(engine, "https://a.test:81/x")).toBe("forwarded");
  expect(await answer(engine, "http://a.test:81/x")).toBe("81");
  expect(await answer(engine, "http://a.test/x")).toBe("http");
  // Methods are case-sensitive (RFC 9110 section 9.1).
  expect(await answer(engine, { url: "http://a.test/x", method: "get" })).toBe("forwarded");
  expect(await answer(engine, { url: "http://a.test/x", method: "POST" })).toBe("forwarded");
});

test("a matcher that somebody has wrapped is asked", async () => {
  const exact = compile("GET http://a.test/x");
  const never = { ...exact, matches: () => false };
  expect(await answer(new RuleEngine({ rules: [[never, say("no")], [exact, say("yes")]] }), "http://a.test/x")).toBe(
    "yes",
  );
});
