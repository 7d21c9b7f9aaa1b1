import { Buffer } from "node:buffer";
import { writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readEntry, readFields } from "../../src/tape/entry_read.ts";
import { emptyLog, printEntry, printHead } from "../../src/tape/har.ts";
import { scanHar, type Scanned } from "../../src/tape/load/har_scanner.ts";
import { readTape } from "../../src/tape/mod.ts";
import { tempFolder } from "../support/temp.ts";
import { har, harEntry } from "./tapes.ts";

function scan(text: string): Scanned | undefined {
  return scanHar(Buffer.from(text), {
    line(name, value) {
      try {
        return readFields([{ name, value }], "");
      } catch {
        return undefined;
      }
    },
    isUrl: (url) => /^(?:https?|wss?):\/\/[^/?#\s]/i.test(url) && URL.canParse(url) && !url.includes("#"),
  });
}

/** All that an entry says, whatever it is made of. */
function plain(entry: ReturnType<typeof readEntry> | undefined) {
  if (entry === undefined) return undefined;
  const { method, url, status, reason, request, response, failure, comment, wait } = entry;
  return { method, url, status, reason, request, response, failure, comment, wait };
}

const headers = (...pairs: [string, string][]) => pairs.map(([name, value]) => ({ name, value }));

const plainEntries: Record<string, object> = {
  "the least": harEntry(),
  "all of ours": {
    startedDateTime: "1970-01-01T00:00:00.000Z",
    time: 0,
    request: {
      method: "POST",
      url: "https://shop.test/a?b=%20c&d",
      httpVersion: "HTTP/2",
      cookies: [{ name: "a", value: "b" }],
      headers: headers(["host", "shop.test"], ["X-Quote", 'W/"1\\2/3"'], ["empty", ""], ["host", "shop.test"]),
      queryString: [],
      postData: { mimeType: "application/json", text: '{"a":"\\u0041\\n\\"é"}' },
      headersSize: -1,
      bodySize: 7,
    },
    response: {
      status: 404,
      statusText: "Not Found",
      httpVersion: "HTTP/1.0",
      cookies: [],
      headers: headers(["Content-Type", "text/plain"]),
      content: { size: 5, mimeType: "x", text: "aGVsbG8=", encoding: "base64" },
      redirectURL: "",
      headersSize: -1,
      bodySize: -1,
    },
    cache: {},
    timings: { send: 0.5, wait: 12.25, receive: 1e-3 },
  },
  "bodies in files": harEntry({
    request: { postData: { mimeType: "", _file: "0123456789abcdef.bin" } },
    response: { content: { _file: "fedcba9876543210.json" } },
  }),
  "field values beyond ASCII": harEntry({
    response: { headers: headers(["a", "é"], ["b", "日本"], ["c", "1\n2"], [":status", "200"]) },
  }),
  "a URL beyond ASCII": harEntry({ request: { url: "https://shop.test/é?ü" } }),
  "fields that others add": {
    pageref: "p",
    connection: "1",
    ...harEntry({ response: { content: { text: "x", compression: 3 } } }),
  },
};

const oddEntries: Record<string, object> = {
  "a comment": { ...harEntry(), comment: "x" },
  "trailers": harEntry({ response: { _trailers: headers(["a", "b"]) } }),
  "a failure": harEntry({ response: { status: 0, _error: { code: "UPSTREAM_CLOSED", message: "x" } } }),
  "params": harEntry({ request: { postData: { params: [{ name: "a", value: "b" }] } } }),
  "a fragment": harEntry({ request: { url: "https://shop.test/#x" } }),
  "101": harEntry({ response: { status: 101 } }),
  "text and file": harEntry({ response: { content: { text: "x", _file: "a.bin" } } }),
  "a coded body": harEntry({ response: { content: { text: "eA==", encoding: "base64", _encoded: true } } }),
  "base64 with line breaks": harEntry({ response: { content: { text: "eA\n==", encoding: "base64" } } }),
  "encoding before the text": harEntry({ response: { content: { encoding: "base64", text: "eA==" } } }),
  "members in another order": harEntry({ request: { headers: [{ value: "b", name: "a" }] } }),
  "a header with a remark": harEntry({ request: { headers: [{ name: "a", value: "b", comment: "c" }] } }),
  "a version of others": harEntry({ request: { httpVersion: "h3" } }),
  "a lower-case method": harEntry({ request: { method: "get" } }),
};

describe.each([["as others write it", JSON.stringify], ["as we print it", printEntry]])("scanning, %s", (_, print) => {
  const document = (...entries: object[]) =>
    `${printHead(emptyLog())}${entries.map((entry) => `\n      ${print(entry)}`).join(",")}\n    ]\n  }\n}\n`;

  test.each(Object.entries(plainEntries))("%s: the same as parsing it", (_, entry) => {
    const scanned = scan(document(entry, entry))!;
    const expected = plain(readEntry(entry, 0, "a.har"));
    expect(scanned.entries.map(plain)).toEqual([expected, expected]);
    const names = JSON.stringify(entry).match(/[0-9a-f]{16}\.\w+/g) ?? [];
    expect(scanned.files.get(1) ?? []).toEqual(names);
  });

  test.each(Object.entries(oddEntries))("%s: left to the parser", (_, entry) => {
    const text = document(harEntry(), entry, harEntry());
    const { entries, places } = scan(text)!;
    expect(entries.map((entry) => entry !== undefined)).toEqual([true, false, true]);
    const bytes = Buffer.from(text);
    expect(JSON.parse(bytes.toString("utf8", places[2], places[3]))).toEqual(entry);
  });
});

test("what is no JSON is not scanned", () => {
  const whole = har(...Object.values(plainEntries));
  expect(scan(whole)).toBeDefined();
  // Without any one of its bytes, or with another in its place, it is scanned only if it can be parsed.
  const bytes = Buffer.from(whole);
  let refused = 0;
  for (let i = 0; i < bytes.length; i++) {
    for (const change of [[], [0x2c], [0x22], [0x5c], [0x01], [0x30]]) {
      const text = Buffer.concat([bytes.subarray(0, i), Buffer.from(change), bytes.subarray(i + 1)]).toString("latin1");
      let parsed = true;
      try {
        JSON.parse(text);
      } catch {
        parsed = false;
      }
      const scanned = scan(text);
      if (!parsed) refused++;
      if (!parsed && scanned !== undefined) expect(text).toBe("not scanned");
      if (scanned === undefined) continue;
      // And what it finds is what the parser finds.
      const { entries } = JSON.parse(text).log as { entries: unknown[] };
      for (const [n, entry] of scanned.entries.entries()) {
        if (entry !== undefined) expect(plain(entry)).toEqual(plain(readEntry(entries[n], n, "a.har")));
      }
    }
  }
  expect(refused).toBeGreaterThan(bytes.length);
}, 60_000);

test.each([
  "[1]",
  '{"log":[]}',
  '{"log":{"entries":{}}}',
  '{"log":{}}',
  '{"log":{"entries":[]}}{}',
  '{"log":{"entries":[]},"log":{"entries":[]}}',
  `${"[".repeat(5000)}${"]".repeat(5000)}`,
  '{"log":{"entries":[01]}}',
  '{"log":{"entries":[+1]}}',
  '{"log":{"entries":[1.]}}',
  '{"log":{"entries":["\\x"]}}',
  '{"log":{"entries":["\\u12"]}}',
])(
  "%.60s is for the parser",
  (text) => expect(scan(text)).toBeUndefined(),
);

test("what stands beside the entries is kept", () => {
  const { rest } = scan('{"x":1, "log": {"version":"1.2", "pages":[{"id":"a"}], "entries":[], "comment":"é"}}')!;
  expect([...rest]).toEqual([["version", '"1.2"'], ["pages", '[{"id":"a"}]'], ["comment", '"é"']]);
});

test("many lines, and large bodies", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const entries = Array.from({ length: 3000 }, (_, i) =>
    harEntry({
      request: { url: `https://shop.test/${i}`, headers: headers(["x-id", `id ${i}`], ["x-same", "same"]) },
      response: { content: { text: i % 1000 === 0 ? `${i}`.padEnd(3_000_000, "x") : `body ${i}`.repeat(i % 50) } },
    }));
  await writeFile(path, har(...entries));
  const tape = await readTape(path);
  for (const [i, entry] of tape.entries.entries()) {
    if (i % 7 !== 0) continue;
    expect(entry.requestHeaders.raw).toEqual([["x-id", `id ${i}`], ["x-same", "same"]]);
    const text = (await entry.response())!.text();
    expect(text).toBe(i % 1000 === 0 ? `${i}`.padEnd(3_000_000, "x") : `body ${i}`.repeat(i % 50));
  }
});
