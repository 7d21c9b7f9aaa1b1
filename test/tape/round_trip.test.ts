import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { BodyBuffer } from "../../src/flow/body_buffer.ts";
import { FlowHeaders } from "../../src/flow/headers.ts";
import { readTape, writeTape } from "../../src/tape/mod.ts";
import { tempFolder } from "../support/temp.ts";
import { flowOf, open, pairs, pass, readLog, record } from "./tapes.ts";

const text = "größe ".repeat(1000);
const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) & 0xff));

describe("what was recorded is replayed", () => {
  test.each([
    { coding: "gzip", encode: zlib.gzipSync },
    { coding: "deflate", encode: zlib.deflateSync },
    { coding: "deflate", encode: zlib.deflateRawSync },
    { coding: "br", encode: zlib.brotliCompressSync },
    { coding: "zstd", encode: zlib.zstdCompressSync },
    { coding: "gzip, br", encode: (bytes: Uint8Array) => zlib.brotliCompressSync(zlib.gzipSync(bytes)) },
  ])("a $coding body is kept readable, and replayed without its coding", async ({ coding, encode }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const headers = { "content-type": "text/plain", "content-encoding": coding, "content-length": "1" };
    await record(path, [{ response: { headers, body: encode(Buffer.from(text)) } }]);

    const [name] = await readdir(`${path}.d`);
    expect(name).toMatch(/^[0-9a-f]{16}\.txt$/);
    expect(await readFile(`${path}.d/${name}`, "utf8")).toBe(text);
    const { tape } = await open(path, { mode: "replay" });
    const { response, source } = await pass(tape);
    expect(source).toBe("tape");
    expect(response!.text()).toBe(text);
    expect(pairs(response!.headers)).toEqual([["content-type", "text/plain"]]);
    await tape.close();
  });

  test.each([
    { what: "damaged gzip", coding: "gzip", body: Buffer.from("not gzip") },
    { what: "an unknown coding", coding: "compress", body: noise },
  ])("$what is given back as it was, with its coding", async ({ coding, body }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const headers = { "content-type": "text/plain", "content-encoding": coding };
    await record(path, [{ response: { headers, body } }]);
    const { tape } = await open(path, { mode: "replay" });
    const { response } = await pass(tape);
    expect(Buffer.compare(response!.encodedBody, body)).toBe(0);
    expect(response!.headers.get("content-encoding")).toBe(coding);
    expect((await readLog(path)).entries[0]!.response.content._encoded).toBe(true);
    await tape.close();
  });

  test.each([
    { what: "text", type: "text/plain", body: "small", kept: { text: "small" } },
    { what: "nothing", type: "text/plain", body: "", kept: {} },
    { what: "text of 2 KB", type: "text/plain", body: "x".repeat(2048), kept: { text: "x".repeat(2048) } },
    { what: "more than 2 KB", type: "text/html; charset=utf-8", body: "x".repeat(2049), kept: { _file: /\.html$/ } },
    { what: "large JSON", type: "application/hal+json", body: `["${"x".repeat(4000)}"]`, kept: { _file: /\.json$/ } },
    { what: "a picture", type: "image/png", body: noise, kept: { _file: /\.png$/ } },
    { what: "an unknown type", type: "application/x-own", body: noise, kept: { _file: /\.bin$/ } },
    { what: "small bytes", type: "image/png", body: noise.subarray(0, 300), kept: { encoding: "base64" } },
    { what: "invalid UTF-8", type: "text/plain", body: Buffer.from([0x61, 0xff, 0xfe]), kept: { encoding: "base64" } },
    { what: "a byte order mark", type: "text/plain", body: "\ufeffabc", kept: { text: "\ufeffabc" } },
    { what: "NUL in text", type: "application/json", body: '"\0"', kept: { text: '"\0"' } },
    { what: "NUL in bytes", type: "application/octet-stream", body: "a\0b", kept: { encoding: "base64" } },
    {
      what: "Latin-1",
      type: "text/plain; charset=ISO-8859-1",
      body: Buffer.from("grün", "latin1"),
      kept: { text: "grün" },
    },
    {
      what: "cp1252",
      type: "text/plain; charset=windows-1252",
      body: Buffer.from([0x80]),
      kept: { encoding: "base64" },
    },
    {
      what: "Shift JIS",
      type: "text/plain; charset=shift_jis",
      body: Buffer.from([0x82, 0xa0]),
      kept: { encoding: "base64" },
    },
    {
      what: "UTF-16",
      type: "text/plain; charset=utf-16le",
      body: Buffer.from("ab", "utf16le"),
      kept: { encoding: "base64" },
    },
  ])("$what: byte for byte, both ways", async ({ type, body, kept }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const headers = { "content-type": type };
    await record(path, [{ method: "POST", headers, body, response: { headers, body } }]);
    const { request, response } = (await readLog(path)).entries[0]!;
    for (const [field, value] of Object.entries(kept)) {
      const there = (response.content as unknown as Record<string, string>)[field];
      if (value instanceof RegExp) expect(there).toMatch(value);
      else expect(there).toBe(value);
    }
    if ("encoding" in kept) expect(request.postData!._encoding).toBe("base64");
    if (body.length === 0) expect(request.postData).toBe(undefined);

    const bytes = Buffer.from(body as string);
    const [entry] = (await readTape(path)).entries;
    expect(Buffer.compare((await entry!.request()).body, bytes)).toBe(0);
    const { tape } = await open(path, { mode: "replay" });
    const flow = await pass(tape, { method: "POST", headers, body });
    expect(flow.response!.status).toBe(200);
    expect(Buffer.compare(flow.response!.body, bytes)).toBe(0);
    await tape.close();
  });

  test("headers keep order, case and duplicates; trailers and versions are kept", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const sent: [string, string][] = [["hOST", "shop.test"], ["X-B", "1"], ["x-a", "caf\xe9"], ["X-B", "2"]];
    const got: [string, string][] = [["Server", "x"], ["Set-Cookie", "a=; Path=/"], ["set-cookie", "b="], [
      "X-é".slice(0, 1),
      "",
    ]];
    const flow = flowOf({
      headers: sent,
      httpVersion: "1.0",
      response: { headers: got, reason: "Fine", httpVersion: "2" },
    });
    flow.response!.trailers = FlowHeaders.from({ "X-Sum": "9" });
    const { tape: recorder } = await open(path, { mode: "record" });
    recorder.record(flow);
    await recorder.close();

    const [entry] = (await readTape(path)).entries;
    const request = await entry!.request();
    expect(pairs(request.headers)).toEqual(sent);
    expect(request.httpVersion).toBe("1.0");
    const { tape } = await open(path, { mode: "replay" });
    const { response } = await pass(tape);
    expect(pairs(response!.headers)).toEqual(got);
    expect(pairs(response!.trailers!)).toEqual([["X-Sum", "9"]]);
    expect([response!.reason, response!.httpVersion]).toEqual(["Fine", "2"]);
    await tape.close();
  });

  test.each([
    { what: "HEAD", method: "HEAD", status: 200, kept: "12" },
    { what: "304", method: "GET", status: 304, kept: "12" },
    { what: "204", method: "GET", status: 204, kept: null },
    { what: "GET", method: "GET", status: 200, kept: null },
  ])("$what: content-length is $kept, and there is no body", async ({ method, status, kept }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [{
      method,
      response: { status, headers: { "Content-Length": "12", "Content-Encoding": "gzip" } },
    }]);
    const { tape } = await open(path, { mode: "replay" });
    const { response } = await pass(tape, { method });
    expect(response!.status).toBe(status);
    expect(response!.headers.get("content-length")).toBe(kept);
    expect(response!.body.length).toBe(0);
    await tape.close();
  });

  test("fields that belong to a connection are on the tape, but not in the answer", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const headers = { "Transfer-Encoding": "chunked", Connection: "keep-alive", "Keep-Alive": "timeout=5", "X-A": "1" };
    await record(path, [{ response: { headers, body: "hi" } }]);
    const { tape } = await open(path, { mode: "replay" });
    expect(pairs((await pass(tape)).response!.headers)).toEqual([["X-A", "1"]]);
    await tape.close();
    expect(pairs((await readTape(path)).entries[0]!.responseHeaders)).toEqual(Object.entries(headers));
  });
});

describe("failures", () => {
  test.each(["UPSTREAM_REFUSED", "UPSTREAM_CLOSED", "UPSTREAM_CONNECT_TIMEOUT", "UPSTREAM_UNRESOLVED"])(
    "%s is replayed",
    async (code) => {
      await using folder = await tempFolder();
      const path = folder.file("a.har");
      await record(path, [{ error: { code, message: "it is down" } }]);
      const { status, _failureText } = (await readLog(path)).entries[0]!.response;
      expect([status, _failureText]).toEqual([0, "it is down"]);
      const { tape } = await open(path, { mode: "replay" });
      const flow = await pass(tape);
      expect(flow.error).toEqual({ code, message: "it is down" });
      expect([flow.source, flow.response]).toEqual(["tape", undefined]);
      await tape.close();
    },
  );

  test.each([
    { what: "plain", headers: { "content-length": "100" }, part: Buffer.from("the first part") },
    {
      what: "coded",
      headers: { "content-length": "100", "content-encoding": "gzip" },
      part: zlib.gzipSync(text).subarray(0, 20),
    },
    {
      what: "coded, all but the end of the message",
      headers: { "content-length": "5000", "content-encoding": "gzip" },
      part: zlib.gzipSync(text),
    },
  ])("an answer that was cut off is replayed as far as it came: $what", async ({ headers, part }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const flow = flowOf({ response: { headers }, error: { code: "UPSTREAM_ABORTED", message: "gone" } });
    flow.response!.content = new BodyBuffer();
    flow.response!.content.push(part);
    flow.response!.content.complete = flow.response!.content.truncated = true;
    const { tape: recorder } = await open(path, { mode: "record" });
    recorder.record(flow);
    await recorder.close();

    const { tape } = await open(path, { mode: "replay" });
    const { response, error } = await pass(tape);
    expect(error!.code).toBe("UPSTREAM_ABORTED");
    expect(Buffer.compare(response!.encodedBody, part)).toBe(0);
    expect(pairs(response!.headers)).toEqual(Object.entries(headers));
    await tape.close();
  });
});

test("half a request body is nothing to compare with", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const flow = flowOf({ method: "POST", response: { body: "that is enough" } });
  flow.request.content = new BodyBuffer();
  flow.request.content.push(Buffer.from("the beginn"));
  flow.request.content.complete = flow.request.content.truncated = true;
  const { tape: recorder } = await open(path, { mode: "record" });
  recorder.record(flow);
  await recorder.close();
  const { tape } = await open(path, { mode: "replay" });
  expect((await pass(tape, { method: "POST", body: "the beginning" })).response!.text()).toBe("that is enough");
  await tape.close();
});

describe("the file", () => {
  test("recording the same twice gives the same file; times are written on request", async () => {
    await using folder = await tempFolder();
    const [a, b, c] = [folder.file("a.har"), folder.file("b.har"), folder.file("c.har")];
    const flow = { url: "https://shop.test/?q=1", headers: { cookie: "theme=dark" }, response: { json: [1] } };
    await record(a, [{ ...flow, start: 1000 }]);
    await record(b, [{ ...flow, start: 2000 }]);
    await record(c, [{ ...flow, start: 2000 }], { times: true });
    expect(await readFile(a, "utf8")).toBe(await readFile(b, "utf8"));
    expect((await readLog(c)).entries[0]!.startedDateTime).toBe("1970-01-01T00:00:02.000Z");
    const written = await readFile(a, "utf8");
    expect(written).toContain('          { "name": "q", "value": "1" }\n');
    expect(written).toContain('"timings": { "send": 0, "wait": 0, "receive": 0 }');
    expect(written.endsWith("}\n")).toBe(true);
  });

  test("it has all that HAR 1.2 asks for", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await record(path, [{
      url: "https://shop.test/?q=1",
      headers: { cookie: "theme=dark; sid=1" },
      response: { status: 302, headers: { location: "/x", "set-cookie": "a=b; Path=/" } },
    }]);
    const { version, creator, entries: [entry] } = await readLog(path);
    expect([version, creator.name]).toEqual(["1.2", "flowtape"]);
    expect(Object.keys(entry!)).toEqual(["startedDateTime", "time", "request", "response", "cache", "timings"]);
    expect(entry!.request).toEqual({
      method: "GET",
      url: "https://shop.test/?q=1",
      httpVersion: "HTTP/1.1",
      cookies: [{ name: "theme", value: "[redacted:theme-1]" }, { name: "sid", value: "[redacted:sid-1]" }],
      headers: [{ name: "cookie", value: "theme=[redacted:theme-1]; sid=[redacted:sid-1]" }, {
        name: "Host",
        value: "shop.test",
      }],
      queryString: [{ name: "q", value: "1" }],
      headersSize: -1,
      bodySize: 0,
    });
    expect(entry!.response).toEqual({
      status: 302,
      statusText: "Found",
      httpVersion: "HTTP/1.1",
      cookies: [{ name: "a", value: "[redacted:a-1]" }],
      headers: [{ name: "location", value: "/x" }, { name: "set-cookie", value: "a=[redacted:a-1]; Path=/" }],
      content: { size: 0, mimeType: "" },
      redirectURL: "/x",
      headersSize: -1,
      bodySize: 0,
    });
  });

  test("equal bodies are stored once, and bodies that nothing refers to are removed", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const response = { headers: { "content-type": "text/plain" }, body: "x".repeat(5000) };
    await record(path, [{ response }, { url: "https://shop.test/2", response }]);
    const first = await readdir(`${path}.d`);
    expect(first).toHaveLength(1);
    await record(path, [{ response: { ...response, body: "y".repeat(5000) } }]);
    const second = await readdir(`${path}.d`);
    expect(second).toHaveLength(1);
    expect(second).not.toEqual(first);
    await record(path, [{ response: { body: "small" } }]);
    expect(existsSync(`${path}.d`)).toBe(false);
  });

  test("entries are in the order of their requests", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const at = (start: number, name: string) => ({ start, url: `https://shop.test/${name}`, response: {} });
    await record(path, [at(3, "c"), at(1, "a"), at(2, "b"), at(3, "d")]);
    const urls = (await readTape(path)).entries.map(({ url }) => url.at(-1));
    expect(urls.join("")).toBe("abcd");
  });

  test("a tape can be written again from its entries", async () => {
    await using folder = await tempFolder();
    const [a, b] = [folder.file("a.har"), folder.file("b.har")];
    await record(a, [
      { method: "POST", body: noise, response: { headers: { "content-encoding": "gzip" }, body: zlib.gzipSync(text) } },
      { error: { code: "UPSTREAM_REFUSED", message: "down" } },
    ]);
    await writeTape(b, await readTape(a));
    expect(await readFile(b, "utf8")).toBe(await readFile(a, "utf8"));
    expect(await readdir(`${b}.d`)).toEqual(await readdir(`${a}.d`));
  });
});
