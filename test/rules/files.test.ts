// Files as responses, without sockets but where a client's view counts.
import { mkdir, symlink, utimes, writeFile } from "node:fs/promises";
import { Buffer } from "node:buffer";
import { request as httpRequest } from "node:http";
import { describe, expect, test } from "vitest";
import { type HttpFlow, respond, RuleEngine, startProxy } from "../../src/mod.ts";
import type { Respond } from "../../src/rules/mod.ts";
import { type TempFolder, tempFolder } from "../support/temp.ts";
import { rawRequest } from "../support/raw_client.ts";
import { pass, type Sent } from "./pass.ts";

const DATE = new Date("2026-01-02T03:04:05.678Z");

/** A folder with a site in it, and a secret beside it. */
async function site(): Promise<TempFolder & { readonly root: string }> {
  const folder = await tempFolder();
  await mkdir(folder.file("site", "sub", "deep"), { recursive: true });
  await mkdir(folder.file("site-secret"));
  const files = {
    "site/index.html": "home",
    "site/a b.txt": "spaced",
    "site/100%.txt": "percent",
    "site/style.css": "css",
    "site/sub/index.html": "sub",
    "site/sub/deep/x": "bytes",
    "site/.well-known": "dot",
    "secret.txt": "SECRET",
    "site-secret/x": "SECRET",
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(folder.file(name), text);
    await utimes(folder.file(name), DATE, DATE);
  }
  return Object.assign(folder, { root: folder.file("site") });
}

async function ask(response: Respond, sent: Sent = {}) {
  const { response: got } = await pass(new RuleEngine({ rules: [[() => true, respond(response)]] }), sent);
  return {
    status: got!.status,
    text: got!.text(),
    header: (name: string) => got!.headers.get(name),
  };
}

describe("respond({ folder })", () => {
  test.each([
    ["/", "home", "text/html; charset=utf-8"],
    ["/index.html", "home", "text/html; charset=utf-8"],
    ["/?q=1", "home", "text/html; charset=utf-8"],
    ["/a%20b.txt", "spaced", "text/plain; charset=utf-8"],
    ["/100%25.txt", "percent", "text/plain; charset=utf-8"],
    ["/style.css", "css", "text/css; charset=utf-8"],
    ["/sub/", "sub", "text/html; charset=utf-8"],
    ["/sub//deep/x", "bytes", "application/octet-stream"],
    ["/.well-known", "dot", "application/octet-stream"],
  ])("%s is %j", async (path, text, type) => {
    await using it = await site();
    const got = await ask({ folder: it.root }, { url: `http://a.test${path}` });
    expect([got.status, got.text, got.header("content-type")]).toEqual([200, text, type]);
  });

  test.each([
    "/none",
    "/sub/deep/",
    "/style.css/",
    "/style.css/x",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/sub/%2e%2e/%2e%2e/secret.txt",
    "/%2e%2e%2fsite-secret/x",
    "/..%5csecret.txt",
    "/..%252fsecret.txt",
    "/%252e%252e/secret.txt",
    "/secret.txt%00.html",
    "/%",
    "/%ff",
    "/%c0%ae%c0%ae/secret.txt",
    `/${"x".repeat(5000)}`,
  ])("%s is not there", async (path) => {
    await using it = await site();
    const before = [{
      requestHeaders: (flow: { request: { target: string } }) => void (flow.request.target = path),
    }];
    const got = await ask({ folder: it.root }, { addons: { before } });
    expect(got.status).toBe(404);
    expect(got.text).not.toContain("SECRET");
  });

  test("dot segments of a raw client lead nowhere", async () => {
    await using it = await site();
    await using proxy = await startProxy({ rules: [[() => true, respond({ folder: it.root })]] });
    for (
      const target of [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/../site-secret/x",
        "//../secret.txt",
        "/./../secret.txt",
      ]
    ) {
      const got = await rawRequest(
        proxy.port,
        `GET http://a.test${target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`,
      );
      expect(got).toMatch(/^HTTP\/1.1 404 /);
    }
  });

  test("a link that stays inside is followed, one that leads out is not", async () => {
    await using it = await site();
    await symlink(it.file("site", "style.css"), it.file("site", "inside.css"));
    await symlink(it.file("secret.txt"), it.file("site", "outside.txt"));
    await symlink(it.file("site-secret"), it.file("site", "folder"));
    await symlink("loop", it.file("site", "loop"));
    const status = async (path: string) => (await ask({ folder: it.root }, { url: `http://a.test${path}` })).status;
    expect(await status("/inside.css")).toBe(200);
    for (const path of ["/outside.txt", "/folder/x", "/folder/", "/loop"]) expect(await status(path)).toBe(404);
    // The folder itself may be one.
    await symlink(it.root, it.file("link"));
    expect((await ask({ folder: it.file("link") }, { url: "http://a.test/style.css" })).text).toBe("css");
  });

  test("a path to a folder gets its slash", async () => {
    await using it = await site();
    const got = await ask({ folder: it.root }, { url: "http://a.test/sub?q=1" });
    expect([got.status, got.header("location")]).toEqual([302, "/sub/?q=1"]);
    // Two slashes would name a server.
    expect((await ask({ folder: it.root }, { url: "http://a.test//sub" })).header("location")).toBe("/sub/");
    const before = [{ requestHeaders: (flow: HttpFlow) => void (flow.request.target = "/sub") }];
    expect((await ask({ folder: it.root }, { addons: { before } })).text).toBe("sub");
  });

  test("strip takes away what the folder does not know of", async () => {
    await using it = await site();
    const get = async (
      path: string,
    ) => (await ask({ folder: it.root, strip: "/assets/" }, { url: `http://a.test${path}` }));
    expect((await get("/assets/style.css")).text).toBe("css");
    expect((await get("/assets/")).text).toBe("home");
    expect((await get("/assets")).header("location")).toBe("/assets/");
    for (const path of ["/style.css", "/assetsx/style.css", "/other/style.css"]) {
      expect((await get(path)).status).toBe(404);
    }
  });

  test("a folder that is not there fails the flow, with its name", async () => {
    await expect(ask({ folder: "/no/such/folder" })).rejects.toThrow(
      "respond() cannot find its folder /no/such/folder",
    );
  });

  test("fields and a status of the rule go with the file", async () => {
    await using it = await site();
    const got = await ask({ folder: it.root, status: 203, headers: { "x-a": "1", "content-type": "text/x" } });
    expect([got.status, got.header("x-a"), got.header("content-type"), got.text]).toEqual([203, "1", "text/x", "home"]);
  });
});

describe("a client that has the file", () => {
  const tag = `"3-${DATE.getTime().toString(16)}"`;

  test.each<[string, Record<string, string>, number]>([
    ["the same tag", { "if-none-match": tag }, 304],
    ["one of several", { "if-none-match": `"x", W/${tag}` }, 304],
    ["any", { "if-none-match": "*" }, 304],
    ["another tag", { "if-none-match": '"x"' }, 200],
    ["another tag, whatever the date", { "if-none-match": '"x"', "if-modified-since": DATE.toUTCString() }, 200],
    ["the date", { "if-modified-since": DATE.toUTCString() }, 304],
    ["an older date", { "if-modified-since": new Date(DATE.getTime() - 2000).toUTCString() }, 200],
    ["no date", { "if-modified-since": "yesterday" }, 200],
  ])("%s: %j", async (_, headers, status) => {
    await using it = await site();
    const got = await ask({ file: it.file("site", "style.css") }, { headers });
    expect([got.status, got.text]).toEqual([status, status === 304 ? "" : "css"]);
    expect([got.header("etag"), got.header("last-modified")]).toEqual([tag, DATE.toUTCString()]);
  });

  test("is not asked where the rule has a status of its own, or another method is used", async () => {
    await using it = await site();
    const file = it.file("site", "style.css");
    expect((await ask({ file, status: 500 }, { headers: { "if-none-match": "*" } })).status).toBe(500);
    expect((await ask({ file }, { method: "POST", headers: { "if-none-match": "*" } })).text).toBe("css");
  });
});

describe("a part of a file", () => {
  const tag = `"6-${DATE.getTime().toString(16)}"`;

  test.each<[Record<string, string>, number, string, string | null]>([
    [{ range: "bytes=0-1" }, 206, "sp", "bytes 0-1/6"],
    [{ range: "bytes=2-" }, 206, "aced", "bytes 2-5/6"],
    [{ range: "bytes=4-99" }, 206, "ed", "bytes 4-5/6"],
    [{ range: "bytes=-2" }, 206, "ed", "bytes 4-5/6"],
    [{ range: "bytes=-99" }, 206, "spaced", "bytes 0-5/6"],
    [{ range: "bytes=6-" }, 416, "", "bytes */6"],
    [{ range: "bytes=-0" }, 416, "", "bytes */6"],
    [{ range: "bytes=3-2" }, 200, "spaced", null],
    [{ range: "bytes=0-1,3-4" }, 200, "spaced", null],
    [{ range: "lines=0-1" }, 200, "spaced", null],
    [{ range: "bytes=-" }, 200, "spaced", null],
    [{ range: "bytes=0-1", "if-range": tag }, 206, "sp", "bytes 0-1/6"],
    [{ range: "bytes=0-1", "if-range": DATE.toUTCString() }, 206, "sp", "bytes 0-1/6"],
    [{ range: "bytes=0-1", "if-range": '"x"' }, 200, "spaced", null],
    [{ range: "bytes=0-1", "if-range": `W/${tag}` }, 200, "spaced", null],
  ])("%j: %i %j", async (headers, status, text, contentRange) => {
    await using it = await site();
    const got = await ask({ file: it.file("site", "a b.txt") }, { headers });
    expect([got.status, got.text, got.header("content-range")]).toEqual([status, text, contentRange]);
  });
});

test("HEAD gets the fields and the length, and no body", async () => {
  await using it = await site();
  await using proxy = await startProxy({ rules: [[() => true, respond({ folder: it.root })]] });
  const got = await rawRequest(
    proxy.port,
    "HEAD http://a.test/style.css HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n",
  );
  expect(got).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(got).toMatch(/\r\nContent-Length: 3\r\n/i);
  expect(got.endsWith("\r\n\r\n")).toBe(true);
});

test("a large file is sent as it is read, whole and in part; a client that hangs up does no harm", async () => {
  await using folder = await tempFolder();
  const bytes = new Uint8Array(5 * 1024 * 1024).map((_, i) => i * 7 + (i >> 8));
  await writeFile(folder.file("big.bin"), bytes);
  await using proxy = await startProxy({ rules: [[() => true, respond({ folder: folder.path })]] });
  const whole = new Uint8Array(await (await proxy.fetch("http://a.test/big.bin")).arrayBuffer());
  expect(Buffer.compare(whole, bytes)).toBe(0);
  const part = await proxy.fetch("http://a.test/big.bin", { headers: { range: "bytes=1000000-3999999" } });
  expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 1000000-3999999/${bytes.length}`]);
  expect(Buffer.compare(new Uint8Array(await part.arrayBuffer()), bytes.subarray(1000000, 4000000))).toBe(0);

  await new Promise<void>((resolve) => {
    const gone = httpRequest(
      { host: "127.0.0.1", port: proxy.port, path: "http://a.test/big.bin", agent: false },
      (response) => {
        response.once("data", () => gone.destroy());
        response.on("error", () => {});
        response.on("close", resolve);
      },
    );
    gone.on("error", () => {});
    gone.end();
  });
  await proxy.waitFor(({ error }) => error?.code === "CLIENT_ABORTED");
  expect((await proxy.fetch("http://a.test/big.bin", { method: "HEAD" })).status).toBe(200);
});

test("something that is no file is not read", async () => {
  await expect(ask({ file: "/dev/null" })).rejects.toThrow("it is not a file");
  await expect(ask({ file: "/" })).rejects.toThrow("it is not a file");
});

// deno-lint-ignore no-explicit-any -- wrong on purpose
type Wrong = any;

test.each<[() => unknown, string]>([
  [() => respond({ folder: 7 as Wrong }), "the folder of respond() is a path, not 7"],
  [() => respond({ folder: "" }), 'the folder of respond() is a path, not ""'],
  [() => respond({ folder: "a", file: "b" }), "respond() takes one of file and folder, not both"],
  [() => respond({ folder: "a", json: 1 }), "respond() takes one of json and folder, not both"],
  [() => respond({ file: "a", strip: "/b" }), "give folder, too"],
  [() => respond({ folder: "a", strip: "b" }), 'strip of respond() is "b"'],
  [() => respond({ folder: "a", status: 99 }), "status 99 is not valid"],
  [() => respond({ folder: "a", headers: { "a b": "c" } }), 'header name "a b" is not valid'],
])("%s is refused", (make, message) => {
  expect(make).toThrow(message);
});
