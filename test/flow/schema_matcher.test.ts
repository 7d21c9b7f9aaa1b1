import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { FlowSet } from "../../src/flow/flow_set.ts";
import { compile } from "../../src/flow/matcher/compile.ts";
import { comparisonsOf } from "../../src/flow/matcher/compare.ts";
import { not } from "../../src/flow/matcher/combine.ts";
import type { Matcher, StandardSchema } from "../../src/flow/matcher/types.ts";
import { renderComparisons } from "../../src/flow/near_miss.ts";
import { respond } from "../../src/rules/mod.ts";
import { startProxy } from "../../src/proxy.ts";
import { arriving, type FlowInit, httpFlow } from "./flows.ts";

const order: FlowInit = {
  method: "POST",
  url: "https://shop.test/orders?page=2&tag=a&tag=b",
  headers: { "X-Id": "42", cookie: "theme=dark" },
  json: { id: 7, items: [{ sku: "A-1", qty: 3 }], password: "hunter2" },
};
const matches = (matcher: Matcher, init: FlowInit = order) => compile(matcher).matches(httpFlow(init));
const differences = (matcher: Matcher, init: FlowInit = order) =>
  `\n${renderComparisons(comparisonsOf(compile(matcher), httpFlow(init)), { indent: "" })}\n`;

/** The same schema in each library: right for quantities up to `max`. */
const schemas: [string, (max: number) => StandardSchema][] = [
  [
    "zod",
    (max) => z.object({ id: z.number(), items: z.array(z.object({ sku: z.string(), qty: z.number().max(max) })) }),
  ],
  ["valibot", (max) =>
    v.object({
      id: v.number(),
      items: v.array(v.object({ sku: v.string(), qty: v.pipe(v.number(), v.maxValue(max)) })),
    })],
  [
    "arktype",
    (max) => type({ id: "number", items: type({ sku: "string", qty: `number<=${max}` as "number" }).array() }),
  ],
];

describe.each(schemas)("a schema of %s", (vendor, schema) => {
  test("matches a JSON body", () => {
    expect(matches({ json: schema(3) })).toBe(true);
    expect(matches({ json: schema(2) })).toBe(false);
    expect(matches({ json: schema(3) }, { url: "http://a.test/", body: "no JSON" })).toBe(false);
    expect(matches({ json: schema(3) }, { url: "http://a.test/" })).toBe(false);
    expect(compile({ json: schema(3) }).description).toBe(`{ json: ${vendor} schema }`);
  });

  test("shows what it does not accept, and where", () => {
    const [, expected, actual] = differences({ json: schema(2) }).split("\n");
    expect(expected).toMatch(/^- json\.items\[0\]\.qty: .*2.* \((zod|valibot|arktype) schema\)$/);
    expect(actual).toBe("+ json.items[0].qty: 3");
    expect(differences({ json: schema(3) })).toBe("\n  matches: json\n");
  });

  test("waits for a body", () => {
    expect(() => compile({ json: schema(3) }).matches(arriving(order))).toThrow("has not arrived");
  });
});

describe("a schema", () => {
  test("may stand for a part of a body", () => {
    expect(matches({ json: { items: [{ qty: z.number().int() }] } })).toBe(true);
    expect(matches({ json: { items: [{ qty: type("string") }], id: 7 } })).toBe(false);
    expect(matches({ json: { note: z.string().optional() } })).toBe(true);
    expect(matches({ json: { note: z.string() } })).toBe(false);
    expect(differences({ json: { id: 7, items: [{ qty: v.string() }] } })).toBe(`
  matches: json.id
- json.items[0].qty: Invalid type: Expected string but received 3 (valibot schema)
+ json.items[0].qty: 3
`);
  });

  test("matches a query: values are text, several of one name an array", () => {
    const query = z.object({ page: z.coerce.number().min(2), tag: z.array(z.string()).length(2) });
    expect(matches({ query })).toBe(true);
    expect(matches({ query: z.object({ page: z.coerce.number().min(3) }) })).toBe(false);
    expect(matches({ query: z.strictObject({ page: z.string() }) })).toBe(false);
    expect(matches({ query: { page: z.coerce.number().min(2) } })).toBe(true);
    expect(differences({ query: z.object({ page: z.coerce.number().min(3) }) })).toBe(`
- query.page: Too small: expected number to be >=3 (zod schema)
+ query.page: "2"
`);
  });

  test("matches headers, cookies, forms and bodies", () => {
    expect(matches({ headers: z.object({ "x-id": z.string() }) })).toBe(true);
    expect(matches({ headers: type({ "x-id": "'43'" }) })).toBe(false);
    expect(matches({ cookies: v.object({ theme: v.picklist(["dark", "light"]) }) })).toBe(true);
    expect(matches({ body: z.string().startsWith("{") })).toBe(true);
    expect(matches({ body: z.string().startsWith("[") })).toBe(false);
    const form: FlowInit = {
      method: "POST",
      url: "http://a.test/",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "name=Ann&age=7",
    };
    expect(matches({ form: z.object({ age: z.coerce.number() }) }, form)).toBe(true);
    expect(matches({ form: z.object({ age: z.email() }) }, form)).toBe(false);
    expect(differences({ form: z.object({}) })).toContain("+ form: not a form: content-type application/json");
  });

  test("shows no secret, whatever the library says of it", () => {
    for (
      const json of [
        z.object({ password: z.literal("x") }),
        v.object({ password: v.literal("x") }),
        type({ password: "'x'" }),
      ]
    ) {
      const text = differences({ json });
      expect(text).toContain("- json.password: another value");
      expect(text).not.toContain("hunter2");
    }
    const cookies = differences({ cookies: v.object({ theme: v.literal("x") }) });
    expect(cookies).toContain("another value");
    expect(cookies).not.toContain("dark");
  });

  test("that is asynchronous is refused when it is asked", () => {
    const later = z.object({ id: z.number().refine(() => Promise.resolve(true)) });
    expect(() => matches({ json: later })).toThrow(
      "the zod schema answers with a promise: a matcher must answer at once",
    );
    expect(() =>
      matches({ query: { page: v.pipeAsync(v.string(), v.checkAsync(() => Promise.reject(new Error("no")))) } })
    )
      .toThrow("the valibot schema answers with a promise");
    expect(differences({ json: later })).toContain("answers with a promise");
  });

  test("is no matcher by itself", () => {
    expect(() => compile(z.object({}) as unknown as Matcher, "rules[0]")).toThrow(
      "rules[0] is a schema of zod: write { json: schema } for the body, { query: schema } for the query",
    );
    expect(() => compile(type({}) as unknown as Matcher)).toThrow("matcher is a schema of arktype");
  });

  test("that throws is told, and no match", () => {
    const broken: StandardSchema = {
      "~standard": {
        vendor: "mine",
        validate: () => {
          throw new Error("broken");
        },
      },
    };
    expect(() => matches({ json: broken })).toThrow("broken");
    expect(differences({ json: broken })).toContain("failed: Error: broken");
  });

  test("serves rules, waitFor and filters alike", async () => {
    const json = z.object({ qty: z.number().min(2) });
    await using proxy = await startProxy({
      rules: [[{ method: "POST", json }, respond({ status: 201 })], ["*", respond({ status: 422 })]],
    });
    const buy = async (qty: number) => {
      const response = await proxy.fetch("http://shop.test/orders", { method: "POST", body: JSON.stringify({ qty }) });
      await response.body?.cancel();
      return response.status;
    };
    expect([await buy(1), await buy(2)]).toEqual([422, 201]);
    expect(proxy.flows.filter({ json })).toHaveLength(1);
    expect(proxy.flows.filter(not({ json }))).toHaveLength(1);
    expect(await proxy.waitFor({ json }, { timeout: 10_000 })).toHaveLength(1);
  });
});

describe("the response of a flow", () => {
  const answered = httpFlow({ ...order, status: 201 });
  answered.response!.headers.append("Set-Cookie", "sid=abc; Path=/");
  answered.response!.headers.append("X-Total", "3");
  answered.response!.body = JSON.stringify({ state: "open", lines: [1, 2] });
  const flows = new FlowSet([answered, httpFlow(order), httpFlow({ ...order, error: "UPSTREAM_REFUSED" })]);

  test.each<[Matcher, number]>([
    [{ response: {} }, 1],
    [{ response: { status: 201 } }, 1],
    [{ response: { status: "2xx", json: { state: "open" } } }, 1],
    [{ response: { json: { state: /op/, lines: z.array(z.number()) } } }, 1],
    [{ response: { json: { state: "closed" } } }, 0],
    [{ response: { headers: { "x-total": 3 } } }, 1],
    [{ response: { headers: { "x-total": false } } }, 0],
    [{ response: { cookies: { sid: "abc" } } }, 1],
    [{ response: { reason: "Created" } }, 1],
    [{ response: { reason: /^crea/i } }, 1],
    [{ response: { body: /"state"/ } }, 1],
    [{ method: "POST", response: { status: 404 } }, 0],
  ])("%j: %i", (matcher, count) => {
    expect(flows.filter(matcher)).toHaveLength(count);
  });

  test("is shown part by part, or why there is none", () => {
    const shown = (matcher: Matcher, i: number) =>
      `\n${renderComparisons(comparisonsOf(compile(matcher), flows.at(i)!), { indent: "" })}\n`;
    expect(shown({ method: "POST", response: { status: 200, json: { state: "closed" }, cookies: { sid: "x" } } }, 0))
      .toBe(`
  matches: method
- response.status: 200
+ response.status: 201
- response.cookies.sid: [redacted]
+ response.cookies.sid: [redacted] (another one)
- response.json.state: "closed"
+ response.json.state: "open"
`);
    expect(shown({ response: { json: 1 } }, 1)).toContain("+ response.json: no response\n");
    expect(shown({ response: {} }, 2)).toBe("\n- response: any\n+ response: no response (UPSTREAM_REFUSED)\n");
  });

  test.each([
    [{ response: { statsu: 200 } }, '"statsu" is not a part of a response; did you mean "status"?'],
    [{ response: 200 }, "the response 200 is not valid"],
    [{ response: { status: "6xxx" } }, 'status "6xxx" is not valid'],
    [{ response: { headers: [] } }, "headers [] is not valid"],
    [{ response: { body: {} } }, "body {} is not valid"],
  ])("%j is refused", (matcher, message) => {
    expect(() => compile(matcher as Matcher)).toThrow(message);
  });

  test("shows no secret of the shape either", () => {
    const shape = {
      response: { headers: { "set-cookie": "sid=hunter2" }, cookies: { sid: "hunter2" }, body: "password=hunter2" },
    };
    expect(compile(shape).description).not.toContain("hunter2");
  });
});
