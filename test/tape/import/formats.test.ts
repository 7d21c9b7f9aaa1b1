import { Buffer } from "node:buffer";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { type ImportedTape, type ImportOptions, importTape, writeTape } from "../../../src/tape/mod.ts";
import { tempFolder } from "../../support/temp.ts";

/** Imports a document, or a folder of them. */
async function imported(content: unknown, options: ImportOptions = {}, name = "a.json"): Promise<ImportedTape> {
  await using folder = await tempFolder();
  const text = typeof content === "string" ? content : JSON.stringify(content);
  await writeFile(folder.file(name), text);
  return await importTape(folder.file(name), options);
}

async function bodyOf(tape: ImportedTape, index = 0): Promise<string> {
  return (await tape.entries[index]!.response())!.text();
}

describe("HAR", () => {
  const har = (...entries: object[]) => ({
    log: { version: "1.2", creator: { name: "other", version: "1" }, entries },
  });
  const entry = (request: object = {}, response: object = {}, rest: object = {}) => ({
    request: { method: "GET", url: "http://a.test/", headers: [], ...request },
    response: { status: 200, headers: [], content: { text: "x" }, ...response },
    ...rest,
  });

  test("entries are in the order in which the requests began", async () => {
    const at = (second: number) => ({ startedDateTime: `2026-01-01T00:00:0${second}.000Z` });
    const tape = await imported(har(entry({ url: "http://a.test/2" }, {}, at(2)), entry({}, {}, at(1))));
    expect(tape.entries.map(({ url }) => url)).toEqual(["http://a.test/", "http://a.test/2"]);
    expect(tape.entries.map(({ index }) => index)).toEqual([0, 1]);
    const timeless = await imported(har(entry({ url: "http://a.test/2" }, {}, at(2)), entry()));
    expect(timeless.entries.map(({ url }) => url)).toEqual(["http://a.test/2", "http://a.test/"]);
  });

  test("what no network has carried is left out, and said", async () => {
    const urls = ["data:text/plain,x", "blob:http://a.test/1", "chrome-extension://x/y", "file:///x", "about:blank"];
    const tape = await imported(har(...urls.map((url) => entry({ url })), entry({}, { status: 103 }), entry()));
    expect(tape.entries.length).toBe(1);
    expect(tape.notes).toHaveLength(6);
    expect(tape.notes[0]).toBe(
      "log.entries[0] (GET data:text/plain,x): left out: data: is no request over the network",
    );
    expect(tape.notes[5]).toContain("status 103 only announces an answer");
  });

  test("mistakes name the entry and the field", async () => {
    const failing = imported(har(entry(), entry({ method: 7 })));
    await expect(failing).rejects.toThrow(/log\.entries\[1\].*request\.method is 7: a string is expected/);
    await expect(imported(har(entry({}, { status: "fine" })))).rejects.toThrow("response.status");
    await expect(imported({ log: { entries: {} } })).rejects.toThrow("log.entries is missing");
  });

  test("members that some leave out, and media types that some invent", async () => {
    const tape = await imported(har({ request: { method: "GET", url: "http://a.test/" }, response: { status: 200 } }));
    expect(await bodyOf(tape)).toBe("");
    const encoding = await imported(har(entry({}, { content: { text: "ä", encoding: "utf-8" } })));
    expect(await bodyOf(encoding)).toBe("ä");
  });

  test("a form of Charles that is none", async () => {
    const json = '{"a":1,"b":"c d"}';
    const postData = { mimeType: "application/x-www-form-urlencoded", params: [{ name: json, value: "" }] };
    const tape = await imported(har(entry({ method: "POST", postData, bodySize: json.length })));
    expect((await tape.entries[0]!.request()).text()).toBe(json);
  });

  test("the fields of a multipart form are not its body", async () => {
    const postData = { mimeType: "multipart/form-data; boundary=x", text: "", params: [{ name: "a", value: "b" }] };
    const tape = await imported(har(entry({ method: "POST", postData })));
    expect((await tape.entries[0]!.request()).body.length).toBe(0);
  });

  test("a body in base64 that still has its coding", async () => {
    const text = gzipSync("hello").toString("base64");
    const headers = [{ name: "content-encoding", value: "gzip" }, { name: "content-type", value: "text/plain" }];
    const tape = await imported(har(entry({}, { headers, content: { text, encoding: "base64" } })));
    expect(await bodyOf(tape)).toBe("hello");
  });

  test("bytes that Python has escaped in text", async () => {
    const text = "abc\\udcff\\udc80\\ud83d\\ude00";
    const tape = await imported(
      JSON.stringify(har(entry({}, { content: { text: "?", mimeType: "" } }))).replace('"?"', `"${text}"`),
    );
    expect(Buffer.from((await tape.entries[0]!.response())!.body)).toEqual(
      Buffer.concat([Buffer.from("abc"), Uint8Array.of(0xff, 0x80), Buffer.from("😀")]),
    );
  });

  test("a WebSocket keeps what was said, whether its times are seconds or milliseconds", async () => {
    for (const unit of [1, 1000]) {
      const start = 1_767_225_600;
      const said = [
        { type: "send", time: (start + 1) * unit, opcode: 1, data: "hi" },
        { type: "receive", time: (start + 3) * unit, opcode: 2, data: "AQI=" },
      ];
      const tape = await imported(har(entry({ url: "ws://a.test/" }, { status: 101 }, {
        startedDateTime: "2026-01-01T00:00:00.000Z",
        _resourceType: "websocket",
        _webSocketMessages: said,
      })));
      expect(tape.entries[0]!.kind).toBe("websocket");
      expect((await tape.entries[0]!.said())!.map(({ from, time }) => [from, time])).toEqual([
        ["client", 1000],
        ["server", 3000],
      ]);
    }
  });
});

describe("Polly.js", () => {
  const recording = (content: object, headers: [string, string][] = []) => ({
    log: {
      _recordingName: "a",
      version: "1.2",
      creator: { name: "Polly.JS", version: "6.0.6" },
      entries: [{
        _id: "1",
        _order: 0,
        request: { method: "GET", url: "http://a.test/", headers: [] },
        response: { status: 200, headers: headers.map(([name, value]) => ({ name, value })), content },
      }],
    },
  });
  const gzip: [string, string] = ["content-encoding", "gzip"];
  const zipped = gzipSync("hello");

  test.each([
    { what: "chunks in base64", text: JSON.stringify([zipped.toString("base64")]), flags: { encoding: "base64" } },
    {
      what: "two chunks",
      text: JSON.stringify([zipped.subarray(0, 9).toString("base64"), zipped.subarray(9).toString("base64")]),
      flags: { encoding: "base64" },
    },
    {
      what: "chunks in hexadecimal digits (old)",
      text: JSON.stringify([zipped.toString("hex")]),
      flags: { _isBinary: true },
    },
    { what: "text that was decoded", text: "hello", flags: {} },
  ])("a coded body: $what", async ({ text, flags }) => {
    expect(await bodyOf(await imported(recording({ text, ...flags }, [gzip])))).toBe("hello");
  });

  test("a binary body of an old version", async () => {
    const tape = await imported(recording({ text: "68656c6c6f", _isBinary: true }));
    expect(await bodyOf(tape)).toBe("hello");
  });

  test("a request body that is no text", async () => {
    const document = recording({ text: "x" });
    const headers = [{ name: "content-length", value: "2" }];
    const request = {
      ...document.log.entries[0]!.request,
      method: "POST",
      headers,
      postData: { mimeType: "", text: "00ff" },
    };
    document.log.entries[0]!.request = request as never;
    const tape = await imported(document);
    expect([...(await tape.entries[0]!.request()).body]).toEqual([0, 255]);
  });

  test("a JSON array is one", async () => {
    const tape = await imported(recording({ text: '["aGk="]', mimeType: "application/json" }));
    expect(await bodyOf(tape)).toBe('["aGk="]');
  });
});

describe("nock", () => {
  const definition = (
    rest: object = {},
  ) => [{ scope: "https://a.test:443", method: "GET", path: "/a?b=c", status: 200, response: "x", ...rest }];

  test("the scope and the path are the URL", async () => {
    const tape = await imported(definition());
    expect(String(tape.entries[0])).toBe("GET https://a.test:443/a?b=c");
    expect(String((await imported(definition({ scope: "http://a.test", port: 8080 }))).entries[0])).toContain(
      "http://a.test:8080/a",
    );
  });

  test.each([
    { what: "text", rest: { response: "grün" }, body: "grün" },
    { what: "JSON", rest: { response: { a: [1, null] } }, body: '{"a":[1,null]}' },
    { what: "a number", rest: { response: 0 }, body: "0" },
    { what: "nothing", rest: { response: undefined }, body: "" },
    { what: "hexadecimal digits", rest: { response: "00ff", responseIsBinary: true }, body: "\0\ufffd" },
    { what: "text that could be hexadecimal", rest: { response: "cafe" }, body: "cafe" },
    {
      what: "hexadecimal digits of old versions, which say nothing",
      rest: { response: "00ff", headers: { "content-length": "2" } },
      body: "\0\ufffd",
    },
    {
      what: "chunks with a coding",
      rest: {
        response: [brotliCompressSync("hello").toString("hex")],
        rawHeaders: ["Content-Encoding", "br", "content-type", "text/plain"],
      },
      body: "hello",
    },
    {
      what: "coded chunks that are no hexadecimal digits",
      rest: { response: ["zz"], rawHeaders: { "content-encoding": "gzip" } },
      body: '["zz"]',
    },
  ])("a response of $what", async ({ rest, body }) => {
    expect(await bodyOf(await imported(definition(rest)))).toBe(body);
  });

  test.each([
    { what: "JSON", rest: { body: { a: 1 } }, text: '{"a":1}' },
    {
      what: "a form",
      rest: { body: "a=1&b=%26", reqheaders: { "content-type": "application/x-www-form-urlencoded" } },
      text: "a=1&b=%26",
    },
    {
      what: "a form that was parsed",
      rest: { body: { a: "1 2", b: ["x", "y"] }, reqheaders: { "content-type": "application/x-www-form-urlencoded" } },
      text: "a=1+2&b=x&b=y",
    },
    { what: "bytes", rest: { body: "6869", reqheaders: { "content-length": "2" } }, text: "hi" },
  ])("a request of $what", async ({ rest, text }) => {
    const tape = await imported(definition({ method: "post", ...rest }));
    expect(tape.entries[0]!.method).toBe("POST");
    expect((await tape.entries[0]!.request()).text()).toBe(text);
  });

  test("a coding that cannot be undone stays; text has none, whatever the field says", async () => {
    const headersOf = async (response: unknown, coding: string) => {
      const rawHeaders = { "content-encoding": coding, "content-type": "text/plain" };
      const { headers, encodedBody } =
        (await (await imported(definition({ response, rawHeaders }))).entries[0]!.response())!;
      return [headers.get("content-encoding"), Buffer.from(encodedBody).toString("latin1")];
    };
    expect(await headersOf(["00ff"], "unheard-of")).toEqual(["unheard-of", "\0\xff"]);
    expect(await headersOf(["1f8b0800"], "gzip")).toEqual(["gzip", "\x1f\x8b\b\0"]);
    expect(await headersOf(["00ff"], "gzip")).toEqual([null, "\0\xff"]);
    // To Brotli, this is something that is empty.
    expect(await headersOf("3 apples", "br")).toEqual([null, "3 apples"]);
  });

  test("a body without header fields is a form if it looks like one", async () => {
    const typeOf = async (body: string) =>
      (await imported(definition({ method: "POST", body }))).entries[0]!.requestHeaders.get("content-type");
    expect(await typeOf("a=1&b=%26")).toBe("application/x-www-form-urlencoded");
    expect([await typeOf("aGVsbG8="), await typeOf("a=1 b"), await typeOf("hello")]).toEqual([null, null, null]);
  });

  test("status and header fields of old versions", async () => {
    const tape = await imported(definition({ status: undefined, reply: "404", rawHeaders: ["A", "1", "a", "2"] }));
    expect([tape.entries[0]!.status, tape.entries[0]!.responseHeaders.raw]).toEqual([404, [["A", "1"], ["a", "2"]]]);
  });

  test.each([
    { rest: { body: "*" }, message: '[0] (GET /a?b=c): body is "*", which is every body' },
    { rest: { path: { $regex: "x" } }, message: "path is no text but a condition" },
    { rest: { filteringPath: "x" }, message: "filteringPath is a condition for many requests" },
  ])("$message is refused, or left out", async ({ rest, message }) => {
    await expect(imported(definition(rest))).rejects.toMatchObject({
      code: "IMPORT_INEXACT",
      message: expect.stringContaining(message),
    });
    const tape = await imported([...definition(rest), ...definition()], { inexact: "leave" });
    expect(tape.entries.length).toBe(1);
    expect(tape.notes).toEqual([expect.stringContaining(`left out: ${message.split(": ").at(-1)}`)]);
  });

  test("mistakes name the place", async () => {
    await expect(imported(definition({ status: 99 }))).rejects.toThrow(
      "[0] (GET /a?b=c): status is 99: a status from 200 to 999",
    );
    await expect(imported(definition({ scope: "a.test" }))).rejects.toThrow('scope is "a.test"');
    await expect(imported(definition({ rawHeaders: ["a"] }))).rejects.toThrow("rawHeaders");
    await expect(imported(definition({ rawHeaders: { "a b": "c" } }))).rejects.toThrow("rawHeaders cannot be sent");
    await expect(imported(definition({ response: "xyz", responseIsBinary: true }))).rejects.toThrow(
      "hexadecimal digits",
    );
  });
});

describe("cassettes", () => {
  const ruby = (response: string, request = "") =>
    `---
http_interactions:
- request:
    method: post
    uri: https://a.test/a?b=c
    body:
      encoding: UTF-8
      string: ${request || "''"}
    headers:
      Accept:
      - "*/*"
  response:
    status:
      code: 200
      message: OK
    headers:
      Set-Cookie:
      - a=1
      - b=2
      Content-Encoding:
      - gzip
    body:
${response}
    http_version: '1.0'
  recorded_at: Fri, 20 Nov 2026 17:53:53 GMT
recorded_with: VCR 6.0.0
`;
  const zipped = gzipSync("hello").toString("base64");

  test.each([
    { what: "text", body: "      encoding: UTF-8\n      string: hello" },
    { what: "bytes", body: `      encoding: ASCII-8BIT\n      string: !binary |-\n        ${zipped}` },
    {
      what: "bytes with the long tag",
      body: `      encoding: ASCII-8BIT\n      string: !!binary |-\n        ${zipped}`,
    },
    { what: "base64", body: `      encoding: ASCII-8BIT\n      base64_string: ${zipped}` },
    {
      what: "base64 in lines",
      body: `      encoding: ''\n      base64_string: |\n        ${zipped.slice(0, 10)}\n        ${zipped.slice(10)}`,
    },
    { what: "a string with a class", body: "      encoding: UTF-8\n      string: !ruby/string hello" },
  ])("VCR: a body of $what", async ({ body }) => {
    const tape = await imported(ruby(body), {}, "a.yml");
    expect(await bodyOf(tape)).toBe("hello");
    const [entry] = tape.entries;
    expect([String(entry), entry!.responseHeaders.getAll("set-cookie")]).toEqual(["POST https://a.test/a?b=c", [
      "a=1",
      "b=2",
    ]]);
    expect((await entry!.response())!.httpVersion).toBe("1.0");
  });

  test("VCR: text of ISO-8859-1 has its bytes back", async () => {
    const tape = await imported(ruby("      encoding: ISO-8859-1\n      string: grün"), {}, "a.yml");
    expect(Buffer.from((await tape.entries[0]!.response())!.body)).toEqual(Buffer.from("grün", "latin1"));
  });

  test("VCR: a JSON cassette", async () => {
    const request = {
      method: "get",
      uri: "http://a.test/",
      headers: { A: ["b"] },
      body: { string: "", encoding: "UTF-8" },
    };
    const response = { status: { code: 404, message: "Not Found" }, headers: {}, body: { base64_string: "aGk=\n" } };
    const tape = await imported({ http_interactions: [{ request, response }], recorded_with: "VCR 6.0.0" });
    expect([tape.format, tape.entries[0]!.status, await bodyOf(tape)]).toEqual(["vcr", 404, "hi"]);
  });

  test("mistakes name the place", async () => {
    const wrong = ruby("      string: x").replace("code: 200", "code: fine");
    await expect(imported(wrong, {}, "a.yml")).rejects.toThrow(
      'http_interactions[0] (post https://a.test/a?b=c): response.status.code is "fine": a whole number',
    );
    await expect(imported("http_interactions: 7", {}, "a.yml")).rejects.toThrow(
      'the document: http_interactions is "7": an array',
    );
    await expect(imported("interactions:\n- a: b\n", {}, "a.yml")).rejects.toThrow("interactions[0]: request");
  });

  test("vcrpy: tags of Python, old bodies, no version", async () => {
    const yaml = `interactions:
- request:
    body: !!python/unicode 'a=1'
    headers: {Accept: ['*/*'], !!python/str 'X': [y]}
    method: !!python/unicode POST
    uri: http://a.test/
  response:
    body: {base64_string: !!binary |
        YUdrPQ==
    }
    headers: {}
    status: {code: 200, message: null}
`;
    const tape = await imported(
      yaml.replace("{base64_string: !!binary |\n        YUdrPQ==\n    }", "{base64_string: aGk=}"),
      {},
      "a.yaml",
    );
    expect(tape.format).toBe("vcrpy");
    expect((await tape.entries[0]!.request()).text()).toBe("a=1");
    expect([tape.entries[0]!.requestHeaders.get("x"), await bodyOf(tape)]).toEqual(["y", "hi"]);
  });

  test("go-vcr: a form without a body, version 2", async () => {
    const yaml = `---
version: 2
interactions:
    - id: 0
      request:
        proto: HTTP/1.1
        content_length: 3
        host: a.test
        body: ""
        form: {a: ["1 2"], b: [x, y]}
        headers: {Content-Type: [application/x-www-form-urlencoded]}
        url: http://a.test/
        method: POST
      response:
        proto: HTTP/1.1
        trailer: {}
        content_length: 2
        uncompressed: false
        body: hi
        headers: {}
        status: 201 Created
        code: 201
        duration: 1.5ms
`;
    const tape = await imported(yaml, {}, "a.yaml");
    expect([tape.format, await bodyOf(tape)]).toEqual(["go-vcr", "hi"]);
    const { status, reason } = (await tape.entries[0]!.response())!;
    expect([status, reason, (await tape.entries[0]!.request()).text()]).toEqual([201, "Created", "a=1+2&b=x&b=y"]);
  });
});

describe("WireMock", () => {
  const origin = "https://api.test";
  const mapping = (request: object = {}, response: object = {}, rest: object = {}) => ({
    request: { method: "GET", url: "/a", ...request },
    response: { body: "x", ...response },
    ...rest,
  });
  const one = (...it: Parameters<typeof mapping>) => imported(mapping(...it), { origin });

  test("a folder with mappings in folders, several in a file, and files", async () => {
    await using folder = await tempFolder();
    const write = async (name: string, content: string) => {
      await mkdir(dirname(folder.file(name)), { recursive: true });
      await writeFile(folder.file(name), content);
    };
    await write("mappings/a.json", JSON.stringify(mapping({}, { body: undefined, bodyFileName: "deep/b.txt" })));
    await write("mappings/deep/b.json", JSON.stringify({ mappings: [mapping({ url: "/b" }), mapping({ url: "/c" })] }));
    await write("mappings/readme.txt", "not a mapping");
    await write("__files/deep/b.txt", "from a file");
    const tape = await importTape(folder.file("."), { origin });
    expect(tape.entries.map(String)).toEqual([
      "GET https://api.test/a",
      "GET https://api.test/b",
      "GET https://api.test/c",
    ]);
    expect(await bodyOf(tape)).toBe("from a file");
    expect((await importTape(folder.file("mappings"), { origin })).entries.length).toBe(3);
    await expect(importTape(folder.file("."))).rejects.toThrow(
      'mappings of WireMock do not say where requests went: importTape(path, { origin: "https://api.test" })',
    );
  });

  test.each([
    { request: { url: "/a?b=c" }, expected: "GET https://api.test/a?b=c" },
    {
      request: { url: undefined, urlPath: "/a", queryParameters: { b: { equalTo: "c d" } } },
      expected: "GET https://api.test/a?b=c+d",
    },
    {
      request: { queryParameters: { b: { hasExactly: [{ equalTo: "1" }, { equalTo: "2" }] } } },
      expected: "GET https://api.test/a?b=1&b=2",
    },
    {
      request: { host: { equalTo: "other.test" }, port: 8443, scheme: "http" },
      expected: "GET http://other.test:8443/a",
    },
    { request: { host: "other.test" }, expected: "GET https://other.test/a" },
  ])("$request is $expected", async ({ request, expected }) => {
    expect(String((await one(request)).entries[0])).toBe(expected);
  });

  test("what a request is compared with is what it was", async () => {
    const tape = await one({
      method: "POST",
      headers: { "X-Id": { equalTo: "7", caseInsensitive: true } },
      cookies: { a: { equalTo: "1" }, b: { equalTo: "2" } },
      basicAuthCredentials: { username: "ann", password: "lee" },
      bodyPatterns: [{ equalToJson: { a: 1 }, ignoreArrayOrder: true, ignoreExtraElements: true }],
    });
    const request = await tape.entries[0]!.request();
    expect(request.headers.raw).toEqual([["X-Id", "7"], ["authorization", "Basic YW5uOmxlZQ=="], [
      "cookie",
      "a=1; b=2",
    ]]);
    expect([request.json(), tape.notes]).toEqual([{ a: 1 }, []]);
  });

  test.each([
    { response: { body: "x" }, text: "x" },
    { response: { body: undefined, jsonBody: { a: 1 } }, text: '{"a":1}' },
    { response: { body: undefined, base64Body: "aGk=" }, text: "hi" },
    { response: { body: undefined }, text: "" },
  ])("the answer of $response is $text", async ({ response, text }) => {
    expect(await bodyOf(await one({}, { status: 201, statusMessage: "Fine", ...response }))).toBe(text);
  });

  test.each([
    { request: { method: "ANY" }, what: "request.method is every method" },
    { request: { method: undefined }, what: "request.method is every method" },
    { request: { url: undefined, urlPattern: "/.*" }, what: "request.urlPattern is a condition" },
    { request: { url: undefined, urlPathTemplate: "/a/{id}" }, what: "request.urlPathTemplate is a condition" },
    { request: { headers: { a: { matches: ".*" } } }, what: "request.headers.a is for many values" },
    {
      request: { queryParameters: { a: { equalTo: "x", or: [] } } },
      what: "request.queryParameters.a is for many values",
    },
    {
      request: { bodyPatterns: [{ matchesJsonPath: "$.a" }] },
      what: "request.bodyPatterns[0] (matchesJsonPath) is for many bodies",
    },
    {
      request: { bodyPatterns: [{ contains: "a" }, { contains: "b" }] },
      what: "request.bodyPatterns has several conditions",
    },
    {
      request: { bodyPatterns: [{ equalToJson: '{"a": "${json-unit.ignore}"}' }] },
      what: "request.bodyPatterns[0] has placeholders",
    },
    { response: { fault: "EMPTY_RESPONSE" }, what: "response.fault is no recorded answer" },
    { response: { proxyBaseUrl: "http://x" }, what: "response.proxyBaseUrl is no recorded answer" },
    {
      response: { transformers: ["response-template"] },
      what: "response.transformers makes an answer for each request",
    },
  ])("$what: refused, or left out", async ({ request, response, what }) => {
    const document = { mappings: [mapping(request, response), mapping({ url: "/other" })] };
    await expect(imported(document, { origin })).rejects.toMatchObject({
      code: "IMPORT_INEXACT",
      message: expect.stringContaining(
        `the file: mappings[0]: ${what}, and an entry of a tape is one request. Make it a rule`,
      ),
    });
    const tape = await imported(document, { origin, inexact: "leave" });
    expect([tape.entries.length, tape.notes]).toEqual([1, [`the file: mappings[0]: left out: ${what}`]]);
  });

  test("states of a scenario are the order of its answers", async () => {
    const step = (body: string, from: string | undefined, to: string | undefined, index: number) =>
      mapping({}, { body }, {
        scenarioName: "s",
        requiredScenarioState: from,
        newScenarioState: to,
        insertionIndex: index,
      });
    const mappings = [step("3", "three", undefined, 9), step("1", "Started", "two", 5), step("2", "two", "three", 7)];
    const tape = await imported({ mappings }, { origin });
    expect(await Promise.all([0, 1, 2].map((i) => bodyOf(tape, i)))).toEqual(["1", "2", "3"]);
  });

  test("what was recorded first, which has the highest index, is first", async () => {
    const mappings = [1, 3, 2].map((insertionIndex) => mapping({ url: `/${insertionIndex}` }, {}, { insertionIndex }));
    const tape = await imported({ mappings }, { origin });
    expect(tape.entries.map(({ url }) => url)).toEqual([`${origin}/3`, `${origin}/2`, `${origin}/1`]);
  });

  test("of several for one request the one that WireMock serves", async () => {
    const mappings = [
      mapping({}, { body: "old" }, { insertionIndex: 1 }),
      mapping({}, { body: "first" }, { priority: 1 }),
    ];
    const tape = await imported({ mappings }, { origin });
    expect([tape.entries.length, await bodyOf(tape)]).toEqual([1, "first"]);
    expect(tape.notes).toEqual([
      "the file: mappings[0]: left out: another mapping is for the same request and goes before it",
    ]);
  });

  test("a mapping for every body says so, and match makes a tape of that", async () => {
    await using folder = await tempFolder();
    const tape = await one({ method: "POST" });
    expect(tape.notes).toEqual([
      "the file: it is for every body, and its entry for none: match: { body: false } replays it for every body",
    ]);
    await writeTape(folder.file("a.har"), tape);
    await using proxy = await startProxy({
      tape: { path: folder.file("a.har"), mode: "replay", match: { body: false } },
    });
    const response = await proxy.fetch("https://api.test/a", { method: "POST", body: "anything" });
    expect(await response.text()).toBe("x");
  });
});

describe("Hoverfly", () => {
  const exact = (value: unknown, matcher = "exact") => [{ matcher, value }];
  const pair = (request: object = {}, response: object = {}) => ({
    request: {
      path: exact("/a"),
      method: exact("GET"),
      destination: exact("a.test"),
      scheme: exact("https"),
      query: {},
      body: exact(""),
      ...request,
    },
    response: { status: 200, body: "x", encodedBody: false, templated: false, ...response },
  });
  const simulation = (pairs: object[], schemaVersion = "v5.2") => ({
    data: { pairs, globalActions: { delays: [] } },
    meta: { schemaVersion },
  });

  test("exact requests", async () => {
    const body = exact('{"a":1}', "json");
    const query = { b: exact("1"), c: [{ matcher: "array", value: ["2", "3"] }] };
    const tape = await imported(
      simulation([pair({ method: exact("POST"), body, query, headers: { "X-Id": exact("7") } })]),
    );
    const [entry] = tape.entries;
    expect(String(entry)).toBe("POST https://a.test/a?b=1&c=2&c=3");
    expect([(await entry!.request()).json(), entry!.requestHeaders.get("x-id"), tape.notes]).toEqual([
      { a: 1 },
      "7",
      [],
    ]);
  });

  test.each([
    { request: { path: exact("/*", "glob") }, what: "request.path (glob) is for many values" },
    { request: { destination: exact(".*", "regex") }, what: "request.destination (regex) is for many values" },
    { request: { body: exact("$.a", "jsonpath") }, what: "request.body (jsonpath) is for many values" },
    { request: { body: exact("{}", "jsonPartial") }, what: "request.body (jsonPartial) is for many values" },
    { request: { headers: { a: exact("*", "glob") } }, what: "request.headers.a (glob) is for many values" },
    { request: { method: undefined }, what: "request.method is missing: it is for many" },
    { request: { scheme: undefined }, what: "request.scheme is missing: it is for http and https" },
    { request: { path: [...exact("/a"), ...exact("/b")] }, what: "request.path has several conditions" },
    {
      response: { templated: true, body: "{{ Request.Path }}" },
      what: "response.templated makes an answer for each request",
    },
    { response: { bodyFile: "a.json" }, what: "response.bodyFile is not read" },
  ])("$what: refused, or left out", async ({ request, response, what }) => {
    const document = simulation([pair(request, response), pair({ path: exact("/other") })]);
    await expect(imported(document)).rejects.toMatchObject({
      code: "IMPORT_INEXACT",
      message: expect.stringContaining(`data.pairs[0]: ${what}, and an entry`),
    });
    const tape = await imported(document, { inexact: "leave" });
    expect([tape.entries.length, tape.notes]).toEqual([1, [`data.pairs[0]: left out: ${what}`]]);
  });

  test("of pairs for one request the first is served; a missing query is any query", async () => {
    const tape = await imported(simulation([pair({ query: undefined }), pair({ query: undefined }, { body: "y" })]));
    expect([tape.entries.length, await bodyOf(tape)]).toEqual([1, "x"]);
    expect(tape.notes).toEqual([
      "data.pairs[0]: it is for every query, and its entry for none: match: { query: false } replays it for every query",
      "data.pairs[1]: left out: an earlier pair is for the same request",
    ]);
  });

  test("other versions are refused", async () => {
    await expect(imported(simulation([pair()], "v3"))).rejects.toMatchObject({ code: "IMPORT_VERSION" });
    await expect(imported(simulation([pair({}, { status: "ok" })]))).rejects.toThrow(
      'data.pairs[0]: response.status is "ok"',
    );
  });
});
