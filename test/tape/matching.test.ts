import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import type { MatchOptions, TapeOptions } from "../../src/tape/mod.ts";
import { tempFolder } from "../support/temp.ts";
import { answer, type FlowInit, open, pass, record } from "./tapes.ts";

const JSON_TYPE = { "content-type": "application/json" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const multipart = (boundary: string, value: string) => ({
  headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
  body: `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n${value}\r\n--${boundary}--\r\n`,
});
const large = (value: string) => JSON.stringify({ value, filler: "x".repeat(5000) });

/** Whether the recorded request answers the live one. */
async function matches(recorded: FlowInit, live: FlowInit, match?: MatchOptions): Promise<boolean> {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{ ...recorded, response: { body: "found" } }]);
  const { tape } = await open(path, { mode: "replay", ...(match ? { match } : {}) });
  try {
    return await answer(tape, live) === "found";
  } finally {
    await tape.close();
  }
}

const url = (rest: string) => ({ url: `https://shop.test/${rest}` });
const post = (body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) => ({
  method: "POST",
  headers,
  body,
});
const zip = (text: string) => post(zlib.gzipSync(text), { ...JSON_TYPE, "content-encoding": "gzip" });

test.each<[boolean, string, FlowInit, FlowInit, MatchOptions?]>([
  [true, "the same", url("a?x=1"), url("a?x=1")],
  [false, "another path", url("a"), url("b")],
  [false, "another scheme", { url: "https://shop.test/" }, { url: "http://shop.test/" }],
  [false, "another port", { url: "https://shop.test/" }, { url: "https://shop.test:8443/" }],
  [true, "the default port", { url: "https://shop.test:443/" }, { url: "https://shop.test/" }],
  [false, "another method", url("a"), { ...url("a"), method: "DELETE" }],
  [true, "another method, method: false", url("a"), { ...url("a"), method: "DELETE" }, { method: false }],
  [true, "query in another order", url("?a=1&b=2&a=3"), url("?b=2&a=1&a=3")],
  [false, "values of one name in another order", url("?a=1&a=3"), url("?a=3&a=1")],
  [true, "another spelling of the query", url("?a=1%202&b=%5b"), url("?a=1+2&b=%5B")],
  [true, "an empty query", url("a"), url("a?")],
  [false, "one parameter more", url("?a=1"), url("?a=1&ts=5")],
  [true, "one parameter more, ignored", url("?a=1"), url("?a=1&ts=5"), { query: { ignore: ["ts"] } }],
  [false, "another one, though one is ignored", url("?a=1"), url("?a=2&ts=5"), { query: { ignore: ["ts"] } }],
  [true, "query: false", url("?a=1"), url("?b=2"), { query: false }],
  [true, "other headers", { headers: { "x-a": "1" } }, { headers: { "x-a": "2" } }],
  [false, "a header that counts", { headers: { "x-a": "1" } }, { headers: { "x-a": "2" } }, { headers: ["X-A"] }],
  [true, "a header that counts, in another case", { headers: { "x-a": "1" } }, { headers: { "X-A": "1" } }, {
    headers: ["x-A"],
  }],
  [false, "a header that counts and is missing", { headers: { "x-a": "1" } }, {}, { headers: ["x-a"] }],
  [true, "JSON in another order", post('{"a":1,"b":[{"c":2,"d":3}]}'), post('{ "b": [{"d":3,"c":2}], "a": 1.0 }')],
  [false, "a JSON array in another order", post("[1,2]"), post("[2,1]")],
  [false, "another JSON value", post('{"a":1}'), post('{"a":2}')],
  [false, "another JSON type", post('{"a":1}'), post('{"a":"1"}')],
  [
    false,
    "identifiers longer than a number is exact",
    post('{"id":12345678901234567890}'),
    post('{"id":12345678901234567891}'),
  ],
  [true, "JSON without a type", post('{"a":1,"b":2}', {}), post('{"b":2,"a":1}', {})],
  [false, "damaged JSON", post('{"a":1'), post('{"a":2')],
  [false, "__proto__ in JSON", post('{"__proto__":1}'), post('{"__proto__":2}')],
  [true, "a name ignored anywhere", post('{"a":{"ts":1},"ts":[2]}'), post('{"a":{"ts":3}}'), {
    body: { ignore: ["ts"] },
  }],
  [true, "a place ignored", post('{"a":{"ts":1}}'), post('{"a":{"ts":3}}'), { body: { ignore: ["$.a.ts"] } }],
  [true, "a place ignored in a list", post('[{"id":1}]'), post('[{"id":2}]'), { body: { ignore: ["*.id"] } }],
  [true, "an index ignored", post('{"a":[1,2]}'), post('{"a":[1,3]}'), { body: { ignore: ["a[1]"] } }],
  [false, "another place than the one ignored", post('{"a":{"ts":1}}'), post('{"a":{"ts":3}}'), {
    body: { ignore: ["$.ts"] },
  }],
  [true, "body: false", post("a"), post("b"), { body: false }],
  [true, "a form in another order", post("a=1&b=2", FORM), post("b=2&a=1", FORM)],
  [false, "another form", post("a=1", FORM), post("a=2", FORM)],
  [true, "a form field ignored", post("a=1&n=1", FORM), post("a=1&n=2", FORM), { body: { ignore: ["n"] } }],
  [true, "multipart with another boundary", { method: "POST", ...multipart("xYz", "1") }, {
    method: "POST",
    ...multipart("AbC", "1"),
  }],
  [false, "another multipart", { method: "POST", ...multipart("xYz", "1") }, {
    method: "POST",
    ...multipart("xYz", "2"),
  }],
  [true, "multipart, field ignored", { method: "POST", ...multipart("x", "1") }, {
    method: "POST",
    ...multipart("y", "2"),
  }, { body: { ignore: ["a"] } }],
  [false, "other bytes", post(Buffer.from([0, 255]), {}), post(Buffer.from([0, 254]), {})],
  [true, "a coded body", zip('{"a":1}'), post('{"a":1}')],
  [true, "coded on both sides", zip('{"a":1}'), zip('{"a":1}')],
  [false, "another coded body", zip('{"a":1}'), zip('{"a":2}')],
  [true, "a large body", post(large("1")), post(large("1"))],
  [false, "another large body", post(large("1")), post(large("2"))],
  [true, "no recorded body to compare", { method: "POST" }, post("x")],
  [false, "no live body", post("x"), { method: "POST" }],
  [true, "custom says yes", post('{"a":1}'), post('{"a":1}'), {
    custom: (live, recorded) => live.text() === recorded.text(),
  }],
  [false, "custom says no", url("a"), url("a"), { custom: () => false }],
  [true, "custom decides alone about bodies", post("abc"), post("abd"), {
    body: false,
    custom: (live, recorded) => live.text().slice(0, 2) === recorded.text().slice(0, 2),
  }],
])("%s: %s", async (expected, _what, recorded, live, match = {}) => {
  expect(await matches(recorded, live, match)).toBe(expected);
});

describe("identical requests", () => {
  const three: FlowInit[] = ["1", "2", "3"].map((body) => ({ response: { body } }));
  const replay = async (options: Partial<TapeOptions>, flows: FlowInit[], live: FlowInit[]): Promise<string> => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, flows);
    const { tape } = await open(path, { mode: "replay", ...options });
    const answers: string[] = [];
    for (const one of live) {
      const { response } = await pass(tape, one);
      answers.push(response!.status === 502 ? "-" : response!.text());
    }
    await tape.close();
    return answers.join("");
  };
  const five = Array.from({ length: 5 }, () => ({}));

  test.each<[NonNullable<TapeOptions["afterLast"]> | undefined, string]>([
    [undefined, "12333"],
    ["repeat", "12333"],
    ["loop", "12312"],
    ["error", "123--"],
  ])("in the order of the recording, afterLast: %s", async (afterLast, expected) => {
    expect(await replay({ afterLast }, three, five)).toBe(expected);
    expect(await replay({ afterLast, match: { custom: () => true } }, three, five)).toBe(expected);
  });

  test("each body has an order of its own", async () => {
    const flow = (body: string, text: string) => ({ ...post(body), response: { body: text } });
    const recorded = [flow('{"q":1}', "a"), flow('{"q":2}', "b"), flow('{"q":1}', "c"), flow('{"q":2}', "d")];
    const live = ['{"q":2}', '{"q":1}', '{"q":1}', '{"q":2}', '{"q":3}'].map((body) => post(body));
    expect(await replay({}, recorded, live)).toBe("bacd-");
  });

  test("a custom matcher takes what fits, in order", async () => {
    const flow = (name: string, body: string) => ({ headers: { "x-user": name }, response: { body } });
    const custom: MatchOptions["custom"] = (live, recorded) =>
      live.headers.get("x-user") === recorded.headers.get("x-user");
    const live = ["b", "a", "b", "a", "c"].map((name) => ({ headers: { "x-user": name } }));
    expect(await replay({ match: { custom } }, [flow("a", "1"), flow("b", "2"), flow("a", "3")], live)).toBe("2123-");
  });

  test.each([
    { what: "without bodies", body: undefined },
    { what: "with bodies", body: '{"a":1}' },
    { what: "with bodies in files", body: large("1") },
  ])("concurrent ones are answered in the order of their arrival: $what", async ({ body }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const request: FlowInit = body ? post(body) : {};
    const answers = Array.from({ length: 20 }, (_, i) => `${i}`);
    // Some of the answers are in files, and take longer.
    const response = (answer: string, i: number) => ({ body: i % 3 === 0 ? answer.padEnd(4000) : answer });
    await record(path, answers.map((answer, i) => ({ ...request, response: response(answer, i) })));
    const { tape } = await open(path, { mode: "replay" });
    const got = await Promise.all(answers.map(() => answer(tape, request)));
    expect(got.map((text) => text!.trim())).toEqual(answers);
    await tape.close();
  });
});

test("options that match otherwise need no new recording", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{ ...url("?ts=1"), response: { body: "found" } }], { match: { query: true } });
  const { tape } = await open(path, { mode: "replay", match: { query: { ignore: ["ts"] } } });
  expect(await answer(tape, url("?ts=2"))).toBe("found");
  await tape.close();
});

test("a tape of 100,000 entries answers every request", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const { writeFile } = await import("node:fs/promises");
  const entry = (i: number) =>
    `{"request":{"method":"GET","url":"https://shop.test/items/${i}?v=1","headers":[{"name":"accept","value":"*/*"}]},` +
    `"response":{"status":200,"headers":[],"content":{"text":"${i}"}}}`;
  const entries = Array.from({ length: 100_000 }, (_, i) => entry(i)).join(",\n");
  await writeFile(path, `{"log":{"version":"1.2","entries":[${entries}]}}`);
  const { tape, unmatched } = await open(path, { mode: "replay" });
  for (const i of [0, 1, 50_000, 99_999]) expect(await answer(tape, url(`items/${i}?v=1`))).toBe(`${i}`);
  expect((await pass(tape, url("items/x?v=1"))).response!.status).toBe(502);
  expect(unmatched[0]).toContain("+ path: /items/x");
  expect(tape.unused).toHaveLength(99_996);
  await tape.close();
});
