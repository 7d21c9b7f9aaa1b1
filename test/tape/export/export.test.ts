import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
// What MSW keeps open belongs to no test.
import "msw";
import { describe, expect, test } from "vitest";
import { startProxy } from "../../../src/mod.ts";
import { exportHar, importTape, readTape, TapeEntry, toMswSource } from "../../../src/tape/mod.ts";
import { runtime } from "../../support/runtime.ts";
import { run } from "../../support/run.ts";
import { tempFolder } from "../../support/temp.ts";
import { sample, STORY } from "../import/story.ts";
import { type FlowInit, har, harEntry, record } from "../tapes.ts";

/** The entries of a tape that holds these exchanges, and its folder. */
async function tapeOf(folder: { file(name: string): string }, ...flows: FlowInit[]): Promise<readonly TapeEntry[]> {
  const path = folder.file("from.har");
  await record(path, flows, { redact: false });
  return (await readTape(path)).entries;
}

describe("exportHar", () => {
  test("all bodies are in the one file, and it is a tape", async () => {
    await using folder = await tempFolder();
    const path = folder.file("out.har");
    const bytes = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251));
    const entries = await tapeOf(
      folder,
      {
        method: "POST",
        body: "x".repeat(3000),
        headers: { "content-type": "text/plain" },
        response: { body: "y".repeat(4000) },
      },
      {
        method: "PUT",
        body: bytes,
        response: { headers: { "content-type": "application/octet-stream" }, body: bytes },
      },
    );
    await exportHar(entries, path, { redact: false });
    expect((await readdir(folder.file("."))).sort()).toEqual(["from.har", "from.har.d", "out.har"]);
    const text = await readFile(path, "utf8");
    expect(text).not.toContain("_file");
    expect(text.startsWith('{\n  "log": {\n    "version": "1.2",\n')).toBe(true);
    const [first, second] = (await readTape(path)).entries;
    expect([(await first!.request()).text(), (await first!.response())!.text()]).toEqual([
      "x".repeat(3000),
      "y".repeat(4000),
    ]);
    expect(Buffer.from((await second!.request()).body)).toEqual(bytes);
    expect(Buffer.from((await second!.response())!.body)).toEqual(bytes);
  });

  test("streams, WebSockets and raw conversations that were in files", async () => {
    await using folder = await tempFolder();
    const path = folder.file("from.har");
    const long = "z".repeat(3000);
    await mkdir(`${path}.d`);
    const lines = (...all: object[]) => all.map((it) => `${JSON.stringify(it)}\n`).join("");
    await writeFile(`${path}.d/a.jsonl`, lines({ time: 1, text: long }, { time: 5, base64: "AP8=" }));
    await writeFile(
      `${path}.d/b.jsonl`,
      lines({ type: "send", time: 0, opcode: 1, data: long }, { type: "receive", time: 0, opcode: 2, data: "AQI=" }),
    );
    await writeFile(`${path}.d/c.jsonl`, lines({ from: "client", text: long }, { from: "server", base64: "AP8=" }));
    const stream = harEntry({ response: { content: { _file: "a.jsonl", _stream: "ended" } } });
    const socket = {
      ...harEntry({ request: { url: "wss://a.test/" }, response: { status: 101, content: { _file: "b.jsonl" } } }),
      _resourceType: "websocket",
    };
    const tcp = {
      ...harEntry({
        request: { method: "TCP", url: "tcp://a.test:1" },
        response: { status: 0, content: { _file: "c.jsonl" } },
      }),
      _tcp: { end: "client" },
    };
    await writeFile(path, har(stream, socket, tcp));
    const { entries } = await readTape(path);
    await exportHar(entries, folder.file("out.har"));
    expect(existsSync(folder.file("out.har.d"))).toBe(false);
    const { entries: [a, b, c] } = await readTape(folder.file("out.har"));
    expect((await a!.chunks())!.map(({ data }) => data.length)).toEqual([3000, 2]);
    expect((await b!.said())!.map(({ from, text, data }) => [from, text, data.length])).toEqual([
      ["client", true, 3000],
      ["server", false, 2],
    ]);
    expect((await c!.said())!.map(({ from, data }) => [from, data.length])).toEqual([["client", 3000], ["server", 2]]);
  });

  test("what is secret is redacted, and what looks like a secret is not written", async () => {
    await using folder = await tempFolder();
    const headers = { authorization: "Bearer abcdefgh" };
    const entries = await tapeOf(folder, { headers, response: { body: "x" } });
    await exportHar(entries, folder.file("out.har"));
    expect(await readFile(folder.file("out.har"), "utf8")).not.toContain("abcdefgh");
    const random = await tapeOf(folder, {
      response: { headers: { "x-thing": "9f8Jq2LxV7bT4mKpW6zR1yHc3nDs5gEu" }, body: "x" },
    });
    await expect(exportHar(random, folder.file("two.har"))).rejects.toMatchObject({ code: "TAPE_HOLDS_SECRET" });
    expect(existsSync(folder.file("two.har"))).toBe(false);
  });

  test("no entries, and a folder that is not there", async () => {
    await using folder = await tempFolder();
    await exportHar([], folder.file("new/out.har"));
    expect((await readTape(folder.file("new/out.har"))).entries).toEqual([]);
    await writeFile(folder.file("plain"), "");
    await expect(exportHar([], folder.file("plain/out.har"))).rejects.toMatchObject({ code: "TAPE_NOT_WRITTEN" });
  });
});

describe("toMswSource", () => {
  test("conversations, for which there is no code, are named in comments", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    const entries = [
      harEntry(),
      {
        ...harEntry({ request: { url: "wss://chat.test/room?token=abc" }, response: { status: 101 } }),
        _resourceType: "websocket",
        _webSocketMessages: [],
      },
      {
        ...harEntry({ request: { method: "TCP", url: "tcp://redis.test:6379" }, response: { status: 0 } }),
        _tcp: { end: "client", messages: [] },
      },
    ];
    await writeFile(path, har(...entries));
    const code = await toMswSource(await readTape(path));
    expect(code).toContain("\n// Not here: entry 1, the WebSocket wss://chat.test/room?token=[redacted:token-1]\n");
    expect(code).toContain("\n// Not here: entry 2, the raw conversation tcp://redis.test:6379\n");
  });

  test("the code answers as the tape does", async () => {
    await using folder = await tempFolder();
    const source = await toMswSource(await importTape(sample("firefox.har")), { redact: false });
    const handlers = await handlersOf(source, folder);
    await using proxy = await startProxy({ rules: handlers, defaultAction: "drop" });
    for (const { method, url, headers, body, status, answer, cookies } of STORY) {
      const response = await proxy.fetch(url, {
        method,
        headers,
        redirect: "manual",
        ...(body === "" ? {} : { body }),
      });
      expect([url, response.status]).toEqual([url, status]);
      expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(answer));
      expect(response.headers.getSetCookie()).toEqual(cookies);
    }
    await expect(proxy.fetch("http://127.0.0.1:8129/refused")).rejects.toThrow();
    await expect(proxy.fetch("http://127.0.0.1:8123/search?q=other")).rejects.toThrow();
  });

  test("query and body tell requests of one URL apart; identical ones are answered in order", async () => {
    await using folder = await tempFolder();
    const json = { "content-type": "application/json" };
    const post = (body: string, answer: string): FlowInit => ({
      method: "POST",
      url: "https://a.test/a",
      headers: json,
      body,
      response: { body: answer },
    });
    const source = await toMswSource(
      await tapeOf(
        folder,
        // First, although it is for every body.
        { method: "POST", url: "https://a.test/a", response: { body: "nothing" } },
        post('{"a":{"c":1,"b":2}}', "one"),
        post('{"a":{"b":2,"c":1}}', "two"),
        post('{"a":3}', "three"),
        { method: "POST", url: "https://a.test/a?q=1", body: Uint8Array.of(0, 255, 1), response: { body: "bytes" } },
      ),
    );
    const handlers = await handlersOf(source, folder);
    await using proxy = await startProxy({ rules: handlers, defaultAction: "drop" });
    const ask = async (body?: string | Uint8Array<ArrayBuffer>, query = "") =>
      await (await proxy.fetch(`https://a.test/a${query}`, { method: "POST", body })).text();
    expect([await ask('{"a": {"b": 2, "c": 1}}'), await ask('{"a":3}')]).toEqual(["one", "three"]);
    expect([await ask('{"a":{"c":1,"b":2}}'), await ask('{"a":{"c":1,"b":2}}')]).toEqual(["two", "two"]);
    expect([await ask(Uint8Array.of(0, 255, 1), "?q=1"), await ask()]).toEqual(["bytes", "nothing"]);
  });

  test("what was secret is whatever the client sends", async () => {
    await using folder = await tempFolder();
    const source = await toMswSource(
      await tapeOf(folder, { url: "https://a.test/a?access_token=abcdefgh&b=1", response: { body: "x" } }, {
        method: "POST",
        url: "https://a.test/login",
        headers: { "content-type": "application/json" },
        body: '{"password":"hunter22"}',
        response: { body: "in" },
      }),
    );
    expect(source).not.toMatch(/abcdefgh|hunter22/);
    const handlers = await handlersOf(source, folder);
    await using proxy = await startProxy({ rules: handlers, defaultAction: "drop" });
    expect(await (await proxy.fetch("https://a.test/a?b=1&access_token=other")).text()).toBe("x");
    const login = await proxy.fetch("https://a.test/login", { method: "POST", body: '{"password":"other"}' });
    expect(await login.text()).toBe("in");
  });

  test("nothing on the tape can leave its string", async () => {
    await using folder = await tempFolder();
    const evil = '"); globalThis.polluted = true; ("\\u2028`${globalThis.polluted = true}`</script>\n';
    const source = await toMswSource(
      await tapeOf(
        folder,
        {
          url: `https://a.test/a:b*(c)/d"e'f\`g\${h}?"=%22`,
          response: { body: evil, headers: { "x-a": `"'\`\${x}\\` } },
        },
        {
          method: "POST",
          url: "https://a.test/p",
          body: evil,
          response: { headers: { "content-type": "application/json" }, body: '{"__proto__":{"polluted":true},"a":1}' },
        },
      ),
      { redact: false },
    );
    const handlers = await handlersOf(source, folder);
    await using proxy = await startProxy({ rules: handlers, defaultAction: "drop" });
    const response = await proxy.fetch(`https://a.test/a:b*(c)/d"e'f\`g\${h}?"=%22`);
    expect([await response.text(), response.headers.get("x-a")]).toEqual([evil, `"'\`\${x}\\`]);
    await expect(proxy.fetch(`https://a.test/aXX(c)/d"e'f\`g\${h}?"=%22`)).rejects.toThrow();
    const proto = await proxy.fetch("https://a.test/p", { method: "POST", body: evil });
    expect(await proto.text()).toBe('{"__proto__":{"polluted":true},"a":1}');
    expect((globalThis as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("an empty tape, and one with what is no exchange", async () => {
    await using folder = await tempFolder();
    expect(await toMswSource([])).toBe('import { http, HttpResponse } from "msw";\n\nexport const handlers = [];\n');
    const none = { httpVersion: "1.1" as const, fields: "", trailers: undefined, body: undefined };
    const socket = new TapeEntry(0, {
      method: "GET",
      url: "https://a.test/",
      request: none,
      status: 101,
      reason: "",
      response: none,
      failure: undefined,
      comment: undefined,
    }, () => Promise.reject(new Error()));
    expect(await toMswSource([socket])).toContain("handlers = [];");
    expect(folder).toBeDefined();
  });

  test.runIf(runtime === "node")("strict TypeScript takes the code", async () => {
    await using folder = await tempFolder();
    await symlink(resolve("node_modules"), folder.file("node_modules"));
    await writeFile(folder.file("handlers.ts"), await toMswSource(await importTape(sample("playwright.zip"))));
    const options = [
      "--noEmit",
      "--strict",
      "--noUncheckedIndexedAccess",
      "--noImplicitReturns",
      "false",
      "--skipLibCheck",
      "--module",
      "nodenext",
      "--target",
      "esnext",
      "--lib",
      "esnext,dom,dom.iterable",
    ];
    const { code, stdout } = await run(resolve("node_modules/.bin/tsc"), [...options, folder.file("handlers.ts")], {
      cwd: folder.file("."),
      timeoutMs: 50_000,
    });
    expect([code, stdout]).toEqual([0, ""]);
  }, 60_000);
});

/** The handlers that the code of a module makes. */
async function handlersOf(source: string, folder: { file(name: string): string }): Promise<never[]> {
  const path = folder.file("handlers.mjs");
  // In a folder of its own it would not find the package.
  await writeFile(path, source.replace('"msw"', JSON.stringify(import.meta.resolve("msw"))));
  return (await import(pathToFileURL(path).href)).handlers;
}
