import { mkdir, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readTape } from "../../src/tape/mod.ts";
import { tempFolder } from "../support/temp.ts";
import { answer, flowOf, har, harEntry, open, pairs, pass, readLog } from "./tapes.ts";

describe("HAR files of others", () => {
  test("Chrome: pseudo-fields, joined lines, text beyond Latin-1, unknown members, fragments", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const entry = harEntry({
      request: {
        url: "https://Shop.test:443/?b=2&a=1#top",
        httpVersion: "h3",
        headers: [{ name: ":authority", value: "shop.test" }, { name: "accept", value: "*/*" }],
        queryString: [],
        cookies: [],
      },
      response: {
        headers: [{ name: "set-cookie", value: "a=1\nb=2" }, { name: "x-name", value: "日本" }],
        content: { size: 3, mimeType: "text/plain", text: "aGk=", encoding: "base64", compression: 1 },
        _transferSize: 77,
        _error: null,
      },
    });
    const log = JSON.parse(har({ ...entry, _initiator: { type: "script" }, pageref: "page_1" }));
    log.log.pages = [{ id: "page_1" }];
    await writeFile(path, `\ufeff${JSON.stringify(log)}`);
    const { tape } = await open(path, { mode: "auto" });
    const { response } = await pass(tape, { url: "https://shop.test/?a=1&b=2" });
    expect(response!.text()).toBe("hi");
    expect(pairs(response!.headers).slice(0, 2)).toEqual([["set-cookie", "a=1"], ["set-cookie", "b=2"]]);
    const [read] = (await readTape(path)).entries;
    expect(pairs(read!.requestHeaders)).toEqual([["accept", "*/*"]]);

    // What is recorded besides leaves what they wrote as it is.
    tape.record(flowOf({ url: "https://shop.test/new", response: { body: "new" } }));
    await tape.close();
    const { entries: [first, second], ...rest } = await readLog(path);
    expect(first).toEqual(log.log.entries[0]);
    expect(second!.request.url).toBe("https://shop.test/new");
    expect(rest).toMatchObject({ creator: { name: "other" }, pages: [{ id: "page_1" }] });
  });

  test("coded bodies are there decoded although the field names the coding", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const headers = [{ name: "content-encoding", value: "gzip" }, { name: "content-length", value: "7" }];
    await writeFile(path, har(harEntry({ response: { headers } })));
    const { tape } = await open(path, { mode: "replay" });
    const { response } = await pass(tape);
    expect([response!.text(), pairs(response!.headers)]).toEqual(["hello", []]);
    await tape.close();
  });

  test.each([
    { what: "Playwright", response: { status: -1, _failureText: "net::ERR_FAILED" }, message: "net::ERR_FAILED" },
    { what: "Chrome", response: { status: 0, _error: "net::ERR_FAILED" }, message: "net::ERR_FAILED" },
    { what: "nobody", response: { status: 0 }, message: "the recording holds no response" },
  ])("failures as $what writes them", async ({ response, message }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await writeFile(path, har(harEntry({ response })));
    const { tape } = await open(path, { mode: "replay" });
    expect((await pass(tape)).error).toEqual({ code: "UPSTREAM_CLOSED", message });
    await tape.close();
  });

  test("the fields of a form instead of its text; body files with names of their own", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const headers = [{ name: "content-type", value: "application/x-www-form-urlencoded" }];
    const postData = { mimeType: headers[0]!.value, params: [{ name: "a", value: "1 2" }, { name: "b", value: "x" }] };
    await mkdir(`${path}.d`);
    await writeFile(`${path}.d/My-Body.v1.txt`, "from a file");
    const content = { _file: "My-Body.v1.txt" };
    await writeFile(path, har(harEntry({ request: { method: "POST", headers, postData }, response: { content } })));
    const { tape } = await open(path, { mode: "replay" });
    const form = { method: "POST", headers: { "content-type": headers[0]!.value } };
    expect(await answer(tape, { ...form, body: "b=x&a=1+2" })).toBe("from a file");
    expect((await pass(tape, { ...form, body: "b=x&a=1" })).response!.status).toBe(502);
    await tape.close();
  });

  test("a connection that became a WebSocket is not replayed", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await writeFile(path, har(harEntry({ response: { status: 101 } })));
    const { tape, unmatched } = await open(path, { mode: "replay" });
    expect((await pass(tape)).response!.status).toBe(502);
    expect(unmatched).toHaveLength(1);
    await tape.close();
  });
});
