import { expect, test } from "vitest";
import type { TapeOptions } from "../../src/tape/mod.ts";
import { tempFolder } from "../support/temp.ts";
import { answer, type FlowInit, open, pass, record } from "./tapes.ts";

const orders: FlowInit = { url: "https://shop.test/orders?page=1&ts=5", response: { body: "orders" } };
const json = { "content-type": "application/json" };
const buy = (body: object): FlowInit => ({
  method: "POST",
  url: "https://shop.test/buy",
  headers: json,
  body: JSON.stringify(body),
});
const bought: FlowInit = { ...buy({ qty: 1, meta: { nonce: "a" } }), response: { body: "bought" } };

async function explain(flows: FlowInit[], live: FlowInit, options: Partial<TapeOptions> = {}): Promise<string> {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  if (flows.length > 0) await record(path, flows);
  const { tape, unmatched } = await open(path, { mode: "replay", ...options });
  const { response, source } = await pass(tape, live);
  expect([response!.status, source]).toEqual([502, "tape"]);
  expect(response!.headers.get("x-flowtape-error")).toBe("unmatched");
  expect(response!.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(unmatched).toEqual([response!.text()]);
  await tape.close();
  return response!.text().replace(folder.path, "");
}

test("an explanation says what is nearest, what differs, and what to do", async () => {
  const text = await explain([{ url: "https://other.test/", response: {} }, bought, orders], {
    url: "https://shop.test/orders?ts=6&page=1",
  });
  expect(text).toBe(`Nothing on the tape /a.har matches this request, and in replay mode nothing reaches the network:

  GET https://shop.test/orders?ts=6&page=1

The nearest is entry 2, GET https://shop.test/orders?page=1&ts=5 (- recorded, + received):

    matches: method, scheme, host, port, path, query.page
  - query.ts: "5"
  + query.ts: "6"

If that difference does not matter: match: { query: { ignore: ["ts"] } }. Otherwise record it anew: mode: "record".
`);
});

test.each<[string, FlowInit, Partial<TapeOptions>, string]>([
  ["a method", { ...orders, method: "PUT" }, {}, "match: { method: false }"],
  ["JSON fields", buy({ qty: 1, meta: { nonce: "b" } }), {}, 'match: { body: { ignore: ["$.meta.nonce"] } }'],
  ["another body", { ...buy({}), headers: { "content-type": "text/plain" }, body: "x" }, {}, "match: { body: false }"],
  [
    "a header",
    { ...orders, headers: { "x-v": "2" } },
    { match: { headers: ["x-v", "x-w"] } },
    'match: { headers: ["x-w"] }',
  ],
  [
    "several",
    { ...orders, url: "https://shop.test/orders?page=2", method: "PUT" },
    {},
    'match: { method: false, query: { ignore: ["page", "ts"] } }',
  ],
])("the option that would make it match: %s", async (_what, live, options, advice) => {
  const { response: _, ...request } = live;
  const text = await explain([orders, bought], request, options);
  expect(text).toContain(`does not matter: ${advice}.`);

  // And it does.
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [orders, bought]);
  const match = Function(`return ({ ${advice} }).match`)() as TapeOptions["match"];
  const { tape } = await open(path, { mode: "replay", match });
  expect(["orders", "bought"]).toContain(await answer(tape, request));
  await tape.close();
});

test("what no option makes match is to be recorded", async () => {
  const text = await explain([orders], { url: "https://shop.test/order/7" });
  expect(text).toContain("- path: /orders");
  expect(text).toContain('To record it, run with mode: "record", or with "auto" where CI is not set.');
});

test("no tape", async () => {
  expect(await explain([], {})).toContain("There is no such tape yet. To record it");
});

test("all entries have been replayed", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{ response: {} }, { response: {} }]);
  const { tape, unmatched } = await open(path, { mode: "replay", afterLast: "error" });
  for (let i = 0; i < 3; i++) await pass(tape);
  expect(unmatched).toHaveLength(1);
  expect(unmatched[0]).toContain("All 2 entries for it have been replayed.");
  await tape.close();
});

test("secrets are not shown, and do not count as differences", async () => {
  const text = await explain([{ ...bought, url: "https://shop.test/buy?token=abc" }], {
    ...buy({ qty: 2, meta: { nonce: "a" }, password: "hunter2" }),
    url: "https://shop.test/buy?token=hunter2",
  });
  expect(text).not.toContain("hunter2");
  expect(text).not.toContain("abc");
  expect(text).not.toContain("- query.token");
  expect(text).toContain("+ json.qty: 2");
});
