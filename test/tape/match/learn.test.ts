import { expect, test } from "vitest";
import { learn, type MatchOptions, readTape } from "../../../src/tape/mod.ts";
import { tempFolder } from "../../support/temp.ts";
import { type FlowInit, open, pass, record } from "../tapes.ts";

const json = (path: string, body: unknown): FlowInit => ({
  method: "POST",
  url: `https://shop.test/${path}`,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const form = (body: string): FlowInit => ({
  method: "POST",
  url: "https://shop.test/form",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body,
});
const multipart = (boundary: string, fields: Record<string, string>): FlowInit => ({
  method: "POST",
  url: "https://shop.test/upload",
  headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
  body:
    Object.entries(fields).map(([name, value]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n${
        value.startsWith("{") ? "Content-Type: application/json\r\n" : ""
      }\r\n${value}\r\n`
    ).join("") + `--${boundary}--\r\n`,
});

/** What is learned from two runs, after it was seen that the one replays the other with it. */
async function learned(first: FlowInit[], second: FlowInit[], options?: MatchOptions, replays = true) {
  await using folder = await tempFolder();
  const [a, b] = [folder.file("a.har"), folder.file("b.har")];
  const answered = (flows: FlowInit[]) => flows.map((flow) => ({ ...flow, response: { body: "found" } }));
  await record(a, answered(first));
  await record(b, answered(second));
  const match = learn(await readTape(a), await readTape(b), options);
  const { tape } = await open(a, { mode: "replay", match });
  const statuses: number[] = [];
  for (const flow of second) statuses.push((await pass(tape, flow)).response!.status);
  await tape.close();
  expect(statuses.every((status) => status === 200)).toBe(replays);
  return { match: { ...match }, explanation: match.explanation.replaceAll(`${folder.path}/`, "") };
}

test.each<[string, FlowInit[], FlowInit[], MatchOptions, MatchOptions?]>([
  ["nothing", [json("a", { x: 1 })], [json("a", { x: 1 })], {}],
  ["query parameters", [{ url: "https://shop.test/?ts=1&p=2" }], [{ url: "https://shop.test/?ts=2&p=2&r=x" }], {
    query: { ignore: ["ts", "r"] },
  }],
  ["a place in JSON", [json("a", { meta: { at: 1, by: "x" } })], [json("a", { meta: { at: 2, by: "x" } })], {
    body: { ignore: ["$.meta.at"] },
  }],
  ["a place in every element", [json("a", { items: [{ id: 1, n: 1 }, { id: 2, n: 2 }] })], [
    json("a", { items: [{ id: 3, n: 1 }, { id: 4, n: 2 }] }),
  ], { body: { ignore: ["$.items[*].id"] } }],
  ["a place in one element", [json("a", { items: [{ id: 1 }, { id: 2 }] })], [
    json("a", { items: [{ id: 1 }, { id: 4 }] }),
  ], { body: { ignore: ["$.items[1].id"] } }],
  ["keys that need quotes", [json("a", { "x.y": { 'a"b': 1 } })], [json("a", { "x.y": { 'a"b': 2 } })], {
    body: { ignore: ['$["x.y"]["a\\"b"]'] },
  }],
  ["members that come and go", [json("a", { a: 1, trace: 5 })], [json("a", { a: 1 })], {
    body: { ignore: ["$.trace"] },
  }],
  ["variables of GraphQL", [json("g", { query: "{ a }", variables: { now: 1 } })], [
    json("g", { query: "{  a }", variables: { now: 2 } }),
  ], { body: { ignore: ["$.variables.now"] } }],
  ["fields of forms", [form("a=1&nonce=1")], [form("nonce=2&a=1")], { body: { ignore: ["$.nonce"] } }],
  ["parts of multipart, and places in them", [multipart("x", { a: "1", meta: '{"at":1,"by":2}' })], [
    multipart("y", { a: "2", meta: '{"at":2,"by":2}' }),
  ], { body: { ignore: ["$.a", "$.meta.at"] } }],
  ["a large body", [json("a", { at: 1, filler: "x".repeat(5000) })], [json("a", { at: 2, filler: "x".repeat(5000) })], {
    body: { ignore: ["$.at"] },
  }],
  ["headers that count", [{ headers: { "x-a": "1", "x-b": "1" } }], [{ headers: { "x-a": "2", "x-b": "1" } }], {
    headers: { ignore: ["x-c", "x-a"] },
  }, { headers: { ignore: ["x-c"] } }],
  ["headers that are named", [{ headers: { "x-a": "1", "x-b": "1" } }], [{ headers: { "x-a": "2", "x-b": "1" } }], {
    headers: ["X-B"],
  }, { headers: ["X-A", "X-B"] }],
  ["more than is ignored already", [{ url: "https://shop.test/?ts=1" }], [{ url: "https://shop.test/?ts=2" }], {
    query: { ignore: ["r", "ts"] },
    method: false,
  }, { query: { ignore: ["r"] }, method: false }],
  ["what is equal goes together first", [json("a", { x: 1 }), json("a", { x: 2 })], [
    json("a", { x: 2 }),
    json("a", { x: 1 }),
  ], {}],
])("%s", async (_what, first, second, expected, options = {}) => {
  expect((await learned(first, second, options)).match).toEqual(expected);
});

test("the explanation says what differs and where, and ends with the option", async () => {
  const { explanation } = await learned(
    [{ url: "https://shop.test/a?ts=1" }, { url: "https://shop.test/a?ts=3" }, json("b", { at: "x" })],
    [{ url: "https://shop.test/a?ts=2" }, { url: "https://shop.test/a?ts=4" }, json("b", { at: "y" })],
  );
  expect(explanation).toBe(`query parameters:
  ts: "1" and "2" (GET https://shop.test/a, and 1 more)

places in bodies:
  $.at: "x" and "y" (POST https://shop.test/b)

match: {"query":{"ignore":["ts"]},"body":{"ignore":["$.at"]}}`);
});

test("what no list can say is said in words", async () => {
  const text = { method: "PUT", url: "https://shop.test/t", headers: { "content-type": "text/plain" } };
  const { match, explanation } = await learned(
    [{ ...text, body: "at 5" }, { url: "https://shop.test/x" }],
    [{ ...text, body: "at 6" }],
    undefined,
    false,
  );
  expect(match).toEqual({});
  expect(explanation).toContain("bodies that no list can ignore a part of: match.normalize can, or body: false:");
  expect(explanation).toContain('PUT https://shop.test/t: "at 5" and "at 6"');
  expect(explanation).toContain("requests of one recording only:\n  GET https://shop.test/x is on a.har alone");
});

test("equal recordings have nothing to teach", async () => {
  const { explanation } = await learned([{}], [{}]);
  expect(explanation).toBe("The two recordings ask for the same: nothing needs to be ignored.");
});
