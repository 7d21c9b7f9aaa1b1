import { Buffer } from "node:buffer";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readTape } from "../../src/tape/mod.ts";
import { tempFolder } from "../support/temp.ts";
import { har, harEntry, open } from "./tapes.ts";

const request = (changes: object) => har(harEntry(), harEntry({ request: changes }));
const response = (changes: object) => har(harEntry(), harEntry({ response: changes }));
const AT = "log.entries[1] (GET https://shop.test/): ";

const damaged: { what: string; text: string | Uint8Array; code?: string; message: string }[] = [
  { what: "an empty file", text: "", message: "it is empty" },
  { what: "not JSON", text: "<html>", message: "it is not JSON: " },
  { what: "cut off", text: har(harEntry()).slice(0, -20), message: "it is not JSON: " },
  { what: "not UTF-8", text: new Uint8Array([0x7b, 0xff]), message: "it is not UTF-8 text" },
  { what: "a merge", text: '{\n<<<<<<< HEAD\n"a": 1\n', message: "it holds the conflict markers of a merge" },
  { what: "an array", text: "[]", message: 'it has no "log": this is not a HAR file' },
  { what: "another JSON", text: '{"name":"x"}', message: 'it has no "log": this is not a HAR file' },
  { what: "no version", text: '{"log":{"entries":[]}}', message: 'log.version is missing: "1.2" is expected' },
  {
    what: "another version",
    text: '{"log":{"version":"2.0","entries":[]}}',
    code: "TAPE_VERSION",
    message: 'is HAR version "2.0": 1.2 and 1.1 can be read',
  },
  { what: "no entries", text: '{"log":{"version":"1.2"}}', message: "log.entries is missing: an array is expected" },
  { what: "an entry", text: har(harEntry(), 7), message: "log.entries[1] is 7: an object is expected" },
  {
    what: "no request",
    text: har({ response: {} }),
    message: "log.entries[0]: request is missing: an object is expected",
  },
  {
    what: "no response",
    text: har({ request: {} }),
    message: "log.entries[0]: response is missing: an object is expected",
  },
  {
    what: "a method",
    text: request({ method: "GE T" }),
    message: 'log.entries[1] (GE T https://shop.test/): request.method is "GE T": a method is expected',
  },
  {
    what: "a relative URL",
    text: request({ url: "/x" }),
    message: 'log.entries[1] (GET /x): request.url is "/x": an absolute http or https URL is expected',
  },
  {
    what: "no URL",
    text: request({ url: undefined }),
    message: "log.entries[1]: request.url is missing: a string is expected",
  },
  {
    what: "no headers",
    text: request({ headers: undefined }),
    message: `${AT}request.headers is missing: an array is expected`,
  },
  {
    what: "a header without a value",
    text: request({ headers: [{ name: "a", value: "1" }, { name: "b" }] }),
    message: `${AT}request.headers[1].value is missing: a string is expected`,
  },
  {
    what: "a header that would split the message",
    text: response({ headers: [{ name: "a", value: "1\r\n2" }] }),
    message: `${AT}response.headers[0] cannot be sent: the value of header a holds a character`,
  },
  {
    what: "a header name",
    text: response({ headers: [{ name: "a b", value: "1" }] }),
    message: `${AT}response.headers[0] cannot be sent: header name "a b" is not valid`,
  },
  {
    what: "a status",
    text: response({ status: "200" }),
    message: `${AT}response.status is "200": a number is expected`,
  },
  {
    what: "a status of 7",
    text: response({ status: 7 }),
    message: `${AT}response.status is 7: 0 or a status code is expected`,
  },
  {
    what: "a status that announces another one",
    text: response({ status: 100 }),
    message: `${AT}response.status is 100: 0 or a status code is expected`,
  },
  {
    what: "a reason that would split the message",
    text: response({ statusText: "OK\r\nX: 1" }),
    message: `${AT}response.statusText is "OK\\r\\nX: 1": one line of text is expected`,
  },
  {
    what: "an error code that would split the message",
    text: response({ status: 0, _error: { code: "A\r\nX: 1", message: "x" } }),
    message: `${AT}response._error.code is "A\\r\\nX: 1": a word is expected`,
  },
  {
    what: "the status of an error",
    text: response({ status: 0, _error: { code: "UPSTREAM_CLOSED", message: "x", status: 99 } }),
    message: `${AT}response._error.status is 99: a status code is expected`,
  },
  {
    what: "no content",
    text: response({ content: undefined }),
    message: `${AT}response.content is missing: an object`,
  },
  {
    what: "a text",
    text: response({ content: { text: 5 } }),
    message: `${AT}response.content.text is 5: a string is expected`,
  },
  {
    what: "an encoding",
    text: response({ content: { text: "x", encoding: "hex" } }),
    message: `${AT}response.content.encoding is "hex": "base64" is expected`,
  },
  {
    what: "no base64",
    text: response({ content: { text: "=?=", encoding: "base64" } }),
    message: `${AT}response.content.text is "=?=": base64 is expected`,
  },
  {
    what: "an error",
    text: response({ _error: { message: "x" } }),
    message: `${AT}response._error.code is missing: a string is expected`,
  },
  {
    what: "a body that is missing",
    text: response({ content: { _file: "0123456789abcdef.json" } }),
    code: "TAPE_BODY_MISSING",
    message: `${AT}the body file a.har.d/0123456789abcdef.json is missing`,
  },
  ...["../secret", "/etc/passwd", "..", "a/b", "..\\secret", "C:\\secret", "", "a\0b"].map((file) => ({
    what: `a body at ${JSON.stringify(file)}`,
    text: request({ postData: { _file: file } }),
    code: "TAPE_BODY_PATH",
    message: `${AT}request.postData._file is ${JSON.stringify(file)}: the name of a file in a.har.d/`,
  })),
];

describe("a file that is no tape says what is wrong, and is never overwritten", () => {
  test.each(damaged)("$what", async ({ text, code = "TAPE_DAMAGED", message }) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await writeFile(path, text);
    for (const mode of ["record", "auto", "replay"] as const) {
      await expect(open(path, { mode })).rejects.toMatchObject({ name: "TapeError", code });
    }
    const error = await readTape(path).then(() => undefined, (error: Error) => error);
    expect(error!.message.startsWith(path)).toBe(true);
    expect(error!.message).toContain(message);
    expect(Buffer.compare(await readFile(path), Buffer.from(text as string))).toBe(0);
  });

  test("a body file that is a link is refused: it may lead anywhere", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await writeFile(folder.file("secret.txt"), "secret");
    await mkdir(`${path}.d`);
    await symlink(folder.file("secret.txt"), `${path}.d/x.txt`);
    await writeFile(path, response({ content: { _file: "x.txt" } }));
    await expect(readTape(path)).rejects.toMatchObject({ code: "TAPE_BODY_PATH" });
    await expect(readTape(path)).rejects.toThrow(`${AT}a.har.d/x.txt is a link or a folder, not a file`);
  });

  test("a folder of bodies that is a link counts as missing", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await mkdir(folder.file("elsewhere"));
    await writeFile(folder.file("elsewhere", "x.txt"), "secret");
    await symlink(folder.file("elsewhere"), `${path}.d`);
    await writeFile(path, response({ content: { _file: "x.txt" } }));
    await expect(readTape(path)).rejects.toMatchObject({ code: "TAPE_BODY_MISSING" });
  });

  test("a missing tape and a folder", async () => {
    await using folder = await tempFolder();
    await expect(readTape(folder.file("a.har"))).rejects.toMatchObject({ code: "TAPE_NOT_FOUND" });
    await expect(readTape(folder.path)).rejects.toMatchObject({ code: "TAPE_UNREADABLE" });
  });
});
