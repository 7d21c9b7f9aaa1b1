import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import type { MatchOptions, TapeOptions } from "../../../src/tape/mod.ts";
import { RequestKeys } from "../../../src/tape/match/request_key.ts";
import { tempFolder } from "../../support/temp.ts";
import { answer, type FlowInit, open, pass, record } from "../tapes.ts";

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
const NDJSON = { "content-type": "application/x-ndjson" };
const TEXT = { "content-type": "text/plain" };
const GRAPHQL = { "content-type": "application/graphql" };
const MULTIPART = { "content-type": "multipart/form-data; boundary=x" };
const gql = (query: string, more: object = {}) => post(JSON.stringify({ query, ...more }));
const persisted = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });
const batch = (...queries: string[]) => JSON.stringify(queries.map((query) => ({ query })));
const nested = (boundary: string) => `--${boundary}\r\n\r\n1\r\n--${boundary}--\r\n`;
let boundaries = 0;
const parts = (fields: [string, string, string?][], kind = "form-data") => {
  const boundary = `b${boundaries++}`;
  const body = fields.map(([name, value, type]) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n${
      type ? `Content-Type: ${type}\r\n` : ""
    }\r\n${value}\r\n`
  );
  return post(`${body.join("")}--${boundary}--\r\n`, { "content-type": `multipart/${kind}; boundary=${boundary}` });
};
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
  [false, "another host", { url: "https://a.test/" }, { url: "https://b.test/" }],
  [true, "another port, ignored", { url: "http://127.0.0.1:1000/a" }, { url: "http://127.0.0.1:2000/a" }, {
    origin: { ignore: ["port"] },
  }],
  [false, "another host, though the port is ignored", { url: "http://a.test:1/" }, { url: "http://b.test:2/" }, {
    origin: { ignore: ["port"] },
  }],
  [true, "an address without a port, the port ignored", { url: "http://[::1]/a" }, { url: "http://[::1]:2000/a" }, {
    origin: { ignore: ["port"] },
  }],
  [true, "another origin, origin: false", { url: "https://staging.test:8443/a" }, { url: "http://127.0.0.1:2000/a" }, {
    origin: false,
  }],
  [false, "another path, origin: false", { url: "https://a.test/a" }, { url: "https://a.test/b" }, { origin: false }],
  [true, "another path, path: false", url("a/1?x=1"), url("b/2?x=1"), { path: false }],
  [false, "another query, path: false", url("a/1?x=1"), url("b/2?x=2"), { path: false }],
  [
    true,
    "what jQuery and OAuth make anew",
    url("a?x=1&_=1&oauth_nonce=a&oauth_timestamp=5"),
    url("a?x=1&_=2&oauth_nonce=b"),
  ],
  [false, "the same where every parameter counts", url("a?_=1"), url("a?_=2"), { query: true }],
  [true, "the same with others ignored", url("a?_=1&ts=1"), url("a?_=2&ts=2"), { query: { ignore: ["ts"] } }],
  [
    true,
    "headers that say something of one request",
    { headers: { "user-agent": "a", traceparent: "1", "x-a": "1" } },
    {
      headers: { "User-Agent": "b", "X-Request-Id": "2", "x-a": "1" },
    },
    { headers: { ignore: [] } },
  ],
  [false, "one header more, where all count", { headers: { "x-a": "1" } }, { headers: { "x-a": "1", "x-b": "2" } }, {
    headers: { ignore: [] },
  }],
  [true, "one header more, ignored", { headers: { "x-a": "1" } }, { headers: { "x-a": "1", "x-b": "2" } }, {
    headers: { ignore: ["X-B"] },
  }],
  [true, "the boundary in a header that counts", { method: "POST", ...multipart("xYz", "1") }, {
    method: "POST",
    ...multipart("AbC", "1"),
  }, { headers: ["content-type"] }],
  [true, "a key with dots ignored", post('{"a.b":{"c":1}}'), post('{"a.b":{"c":2}}'), {
    body: { ignore: ['$["a.b"].c'] },
  }],
  [true, "lines of JSON", post('{"a":1,"b":2}\n{}\n', NDJSON), post('{"b":2, "a":1}\n{}', NDJSON)],
  [false, "other lines of JSON", post('{"a":1}\n{"a":2}', NDJSON), post('{"a":2}\n{"a":1}', NDJSON)],
  [true, "as JSON, whatever the type says", post("{ }", TEXT), post("{}", TEXT), { body: { as: "json" } }],
  [false, "as bytes, JSON too", post("{ }"), post("{}"), { body: { as: "bytes" } }],
  [true, "as a hash", post("{}"), post("{}"), { body: { as: "hash" } }],
  [false, "another hash", post("{ }"), post("{}"), { body: { as: "hash" } }],
  [true, "a large body as a hash", post(large("1")), post(large("1")), { body: { as: "hash" } }],
  [false, "another large body as a hash", post(large("1")), post(large("2")), { body: { as: "hash" } }],
  [true, "as text, line breaks and white space at the ends", post("a \r\nb\t\n", TEXT), post("a\nb", TEXT), {
    body: { as: "text" },
  }],
  [false, "as text, other white space", post("a b", TEXT), post("a  b", TEXT), { body: { as: "text" } }],
  [true, "as a form, without its type", post("a=1&b=2", {}), post("b=2&a=1", {}), { body: { as: "form" } }],
  [true, "as multipart, without its type", post(multipart("xY", "1").body, {}), post(multipart("Ab", "1").body, {}), {
    body: { as: "multipart" },
  }],
  [true, "fields of multipart in another order", parts([["a", "1"], ["b", "2"]]), parts([["b", "2"], ["a", "1"]])],
  [
    false,
    "parts of multipart/mixed in another order",
    parts([["a", "1"], ["b", "2"]], "mixed"),
    parts([["b", "2"], ["a", "1"]], "mixed"),
  ],
  [
    true,
    "JSON in a part",
    parts([["a", '{"x":1,"y":2}', "application/json"]]),
    parts([["a", '{"y":2,"x":1}', "application/json"]]),
  ],
  [
    true,
    "a place in the JSON of a part ignored",
    parts([["a", '{"x":1}', "application/json"]]),
    parts([
      ["a", '{"x":2}', "application/json"],
    ]),
    { body: { ignore: ["a.x"] } },
  ],
  [false, "another type of a part", parts([["a", "1", "text/plain"]]), parts([["a", "1", "text/html"]])],
  [
    true,
    "multipart in multipart, both boundaries anew",
    parts([["a", nested("q1"), "multipart/mixed; boundary=q1"]]),
    parts([
      ["a", nested("q2"), "multipart/mixed; boundary=q2"],
    ]),
  ],
  [false, "multipart without its end", post("--x\r\n\r\n1", MULTIPART), post("--x\r\n\r\n2", MULTIPART)],
  [
    true,
    "GraphQL with other white space and comments",
    gql("query A { user(id: 1) { name, age } }"),
    gql(
      "# who\nquery A {\n  user(id:1){ name age }\n}",
    ),
  ],
  [false, "white space within a string of GraphQL", gql('{ a(b: "x y") }'), gql('{ a(b: "x  y") }')],
  [false, "another field of GraphQL", gql("{ user { name } }"), gql("{ user { age } }")],
  [
    false,
    "other variables of GraphQL",
    gql("query A { a }", { variables: { id: 1 } }),
    gql("query A { a }", {
      variables: { id: 2 },
    }),
  ],
  [
    true,
    "variables of GraphQL ignored",
    gql("query A { a }", { variables: { id: 1, now: 1 } }),
    gql("query A { a }", {
      variables: { now: 2, id: 1 },
    }),
    { body: { ignore: ["$.variables.now"] } },
  ],
  [true, "no variables, null and none", gql("{ a }", { variables: null }), gql("{ a }", { variables: {} })],
  [
    false,
    "another operation of the same document",
    gql("query A { a } query B { b }", { operationName: "A" }),
    gql(
      "query A { a } query B { b }",
      { operationName: "B" },
    ),
  ],
  [
    true,
    "the name of the only operation, said or not",
    gql("query A { a }", { operationName: "A" }),
    gql("query A { a }"),
  ],
  [
    true,
    "a persisted query with its text: the hash follows the text",
    gql("{ a }", persisted("1")),
    gql("{a}", persisted("2")),
  ],
  [
    false,
    "a persisted query without its text",
    post(JSON.stringify(persisted("1"))),
    post(JSON.stringify(persisted("2"))),
  ],
  [true, "a batch of GraphQL", post(batch("{ a }", "{ b }")), post(batch("{a}", "{b}"))],
  [false, "a batch of GraphQL in another order", post(batch("{ a }", "{ b }")), post(batch("{ b }", "{ a }"))],
  [
    true,
    "GraphQL by GET",
    url(`g?query=${encodeURIComponent("query A { a }")}&variables=${encodeURIComponent('{"x":1,"y":2}')}`),
    url(
      `g?variables=${encodeURIComponent('{"y": 2, "x": 1}')}&query=${encodeURIComponent("query A{a}")}`,
    ),
  ],
  [
    true,
    "variables of GraphQL by GET ignored",
    url(`g?query={a}&variables={"now":1}`),
    url(`g?query={a}&variables={"now":2}`),
    {
      body: { ignore: ["$.variables.now"] },
    },
  ],
  [false, "a search for a word of GraphQL", url("s?query=mutation+a"), url("s?query=mutation++a")],
  [true, "application/graphql", post("{ a }", GRAPHQL), post("{a}", GRAPHQL)],
  [false, "JSON whose query is no GraphQL", post('{"query":"a  b"}'), post('{"query":"a b"}')],
  [true, "normalised paths", url("v1/1699999999999/a"), url("v1/1700000000000/a"), {
    normalize: (request) => void (request.path = request.path.replace(/\d{13}/, "0")),
  }],
  [true, "normalised bodies", post('{"a":1,"at":5}'), post('{"a":1,"at":6}'), {
    normalize(request) {
      request.body = new TextEncoder().encode(request.text().replace(/"at":\d+/, '"at":0'));
    },
  }],
  [false, "other normalised bodies", post('{"a":1,"at":5}'), post('{"a":2,"at":6}'), {
    normalize(request) {
      request.body = new TextEncoder().encode(request.text().replace(/"at":\d+/, '"at":0'));
    },
  }],
  [true, "normalised large bodies", post(large("1")), post(large("2")), {
    normalize: (request) => void (request.body = new TextEncoder().encode(request.text().replace(/"value":"\d"/, ""))),
  }],
  [true, "normalised headers", { headers: { "x-a": "v1-5" } }, { headers: { "x-a": "v1-6" } }, {
    headers: ["x-a"],
    normalize: (request) => request.headers.set("x-a", request.headers.get("x-a")!.split("-")[0]!),
  }],
  [true, "normalised, then judged", post("a1"), post("a2"), {
    normalize: (request) => void (request.body = request.body.slice(0, 1)),
    custom: (live, recorded) => live.text() === "a" && recorded.text() === "a",
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

describe("a large tape", () => {
  async function opened(path: string, size: number, match: MatchOptions) {
    const { writeFile } = await import("node:fs/promises");
    const entry = (i: number) =>
      `{"request":{"method":"GET","url":"https://shop.test/items/${i}?v=1","headers":[{"name":"accept","value":"*/*"}]},` +
      `"response":{"status":200,"headers":[],"content":{"text":"${i}"}}}`;
    const entries = Array.from({ length: size }, (_, i) => entry(i)).join(",\n");
    await writeFile(path, `{"log":{"version":"1.2","entries":[${entries}]}}`);
    return await open(path, { mode: "replay", match });
  }

  test("answers every request", async () => {
    await using folder = await tempFolder();
    const { tape, unmatched } = await opened(folder.file("a.har"), 10_000, {});
    for (const i of [0, 1, 5_000, 9_999]) expect(await answer(tape, url(`items/${i}?v=1`))).toBe(`${i}`);
    expect((await pass(tape, url("items/x?v=1"))).response!.status).toBe(502);
    expect(unmatched[0]).toContain("+ path: /items/x");
    expect(tape.unused).toHaveLength(9_996);
    await tape.close();
  });

  test("looks at as many entries for a request as a small one does", async () => {
    await using folder = await tempFolder();
    const { prototype } = RequestKeys;
    const { keyOf } = prototype;
    const looks: number[] = [];
    try {
      for (const size of [10, 5_000]) {
        let count = 0;
        const custom = () => ++count > 0;
        const { tape } = await opened(folder.file(`${size}.har`), size, { custom });
        prototype.keyOf = function (...args) {
          count++;
          return keyOf.apply(this, args);
        };
        for (const i of [0, 7, size - 1]) expect(await answer(tape, url(`items/${i}?v=1`))).toBe(`${i}`);
        looks.push(count);
        prototype.keyOf = keyOf;
        await tape.close();
      }
    } finally {
      prototype.keyOf = keyOf;
    }
    expect(looks[1]).toBe(looks[0]);
  });
});
