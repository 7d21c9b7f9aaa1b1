import { expect, test } from "vitest";
import type { TapeOptions } from "../../../src/tape/mod.ts";
import { tempFolder } from "../../support/temp.ts";
import { answer, type FlowInit, open, pass, record } from "../tapes.ts";

const orders: FlowInit = { url: "https://shop.test/orders?page=1&ts=5", response: { body: "orders" } };
const json = { "content-type": "application/json" };
const buy = (body: object): FlowInit => ({
  method: "POST",
  url: "https://shop.test/buy",
  headers: json,
  body: JSON.stringify(body),
});
const bought: FlowInit = { ...buy({ qty: 1, meta: { nonce: "a" } }), response: { body: "bought" } };

const asked: FlowInit = { ...buy({ query: "{ a }", variables: { now: 1 } }), response: { body: "asked" } };
const note = { method: "PUT", url: "https://shop.test/note", headers: { "content-type": "text/plain" }, body: "a\nb" };
const upload = {
  method: "POST",
  url: "https://shop.test/files",
  headers: { "content-type": "multipart/form-data; boundary=x" },
  body: '--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nbytes\r\n--x--\r\n',
};
const cart: FlowInit = {
  url: "https://shop.test/users/9b2e1c52-6c9b-4a7e-9c58-0242ac130002/cart",
  response: { body: "cart" },
};
const UUIDS =
  'match: { normalize: (request) => void (request.path = request.path.replace(/\\/[0-9a-f-]{36}(?=\\/|$)/gi, "/:id")) }';
const tape: FlowInit[] = [
  orders,
  bought,
  asked,
  cart,
  { ...note, response: { body: "noted" } },
  { ...upload, response: { body: "uploaded" } },
];

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
    "a header among all that count",
    { ...orders, headers: { "x-v": "2", "x-w": "1" } },
    { match: { headers: { ignore: ["X-W"] } } },
    'match: { headers: { ignore: ["X-W", "x-v"] } }',
  ],
  [
    "together with what is ignored already",
    { ...orders, url: "https://shop.test/orders?page=2&ts=6" },
    { match: { query: { ignore: ["ts"] } } },
    'match: { query: { ignore: ["ts", "page"] } }',
  ],
  [
    "a port",
    { ...orders, url: "https://shop.test:8443/orders?page=1&ts=5" },
    {},
    'match: { origin: { ignore: ["port"] } }',
  ],
  [
    "another origin",
    { ...orders, url: "http://localhost:3000/orders?page=1&ts=5" },
    { match: { origin: { ignore: ["port"] } } },
    'match: { origin: { ignore: ["port", "scheme", "host"] } }',
  ],
  [
    "an identifier in the path",
    { url: "https://shop.test/users/5d3a1c52-6c9b-4a7e-9c58-0242ac130003/cart" },
    {},
    UUIDS,
  ],
  [
    "an element more",
    buy({ qty: 1, meta: { nonce: "a" }, items: [1] }),
    {},
    'match: { body: { ignore: ["$.items"] } }',
  ],
  [
    "a key with dots",
    buy({ qty: 1, meta: { nonce: "a" }, "x.y": 1 }),
    {},
    'match: { body: { ignore: ["$[\\"x.y\\"]"] } }',
  ],
  [
    "variables of GraphQL, and not its white space",
    buy({ query: "{ a  }", variables: { now: 2 } }),
    {},
    'match: { body: { ignore: ["$.variables.now"] } }',
  ],
  [
    "JSON that is compared as bytes",
    { ...buy({}), body: '{ "qty": 1, "meta": { "nonce": "a" } }' },
    { match: { body: { as: "bytes" } } },
    'match: { body: { as: "auto" } }',
  ],
  [
    "white space at the ends of lines",
    { ...note, body: "a\r\nb\r\n" },
    {},
    'match: { body: { as: "text" } }',
  ],
  [
    "bytes of a file in a form",
    { ...upload, body: upload.body.replace("bytes", "other") },
    {},
    "match: { body: false }",
  ],
  [
    "several",
    { ...orders, url: "https://shop.test/orders?page=2", method: "PUT" },
    {},
    'match: { method: false, query: { ignore: ["page", "ts"] } }',
  ],
])("the option that would make it match: %s", async (_what, live, options, advice) => {
  const { response: _, ...request } = live;
  const text = await explain(tape, request, options);
  expect(text).toContain(`does not matter: ${advice}.`);

  // And it does.
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, tape);
  const match = Function(`return ({ ${advice} }).match`)() as TapeOptions["match"];
  const { tape: opened } = await open(path, { mode: "replay", match });
  expect(tape.map(({ response }) => response!.body)).toContain(await answer(opened, request));
  await opened.close();
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
