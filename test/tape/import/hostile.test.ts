import { Buffer } from "node:buffer";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import process from "node:process";
import { deflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { importTape, TapeError } from "../../../src/tape/mod.ts";
import { tempFolder } from "../../support/temp.ts";
import { sample } from "./story.ts";

/** The error of an import, which is to be a TapeError and nothing else; what was read is read to its end. */
async function failureOf(content: string | Uint8Array, name = "a.json"): Promise<TapeError | undefined> {
  await using folder = await tempFolder();
  await writeFile(folder.file(name), content);
  try {
    const tape = await importTape(folder.file(name), { origin: "http://a.test" });
    for (const entry of tape.entries) await Promise.all([entry.request(), entry.response(), entry.parts()]);
    return undefined;
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(TapeError);
    expect((error as TapeError).message).toContain(name);
    return error as TapeError;
  }
}

describe("files that are none", () => {
  test.each([
    { what: "an empty file", content: "", message: "it is empty" },
    { what: "bytes", content: Uint8Array.of(0xff, 0xfe, 0, 1), message: "neither UTF-8 text nor a ZIP archive" },
    { what: "half a JSON document", content: '{"log": {"entries": [', message: "it is not JSON" },
    { what: "conflict markers", content: "<<<<<<< ours\n[]\n=======\n", message: "conflict markers" },
    {
      what: "another document",
      content: '{"openapi": "3.0.0"}',
      message: "it is none of HAR, Polly.js recording, nock",
    },
    { what: "a word", content: "hello", message: "it is none of" },
    { what: "an array of something", content: "[1, 2]", message: "it is none of" },
    { what: "YAML that is none", content: "a: [1\nb: }", message: "it is not YAML that can be read" },
    {
      what: "two names alike",
      content: "http_interactions: []\nhttp_interactions: []\n",
      message: "a name stands twice, in line 2",
    },
  ])("$what", async ({ content, message }) => {
    expect((await failureOf(content))!.message).toContain(message);
  });

  test("there is nothing", async () => {
    await using folder = await tempFolder();
    await expect(importTape(folder.file("a.har"))).rejects.toMatchObject({ code: "TAPE_NOT_FOUND" });
    await expect(importTape(folder.file("."))).rejects.toMatchObject({ code: "IMPORT_UNKNOWN" });
  });

  test("options are checked", async () => {
    await expect(importTape("a.har", { orign: "x" } as object)).rejects.toThrow("options.orign is not an option");
    await expect(importTape("a.har", { origin: "api.test" })).rejects.toThrow("an origin such as");
    await expect(importTape("a.har", { inexact: "maybe" } as object)).rejects.toThrow('"fail", "leave"');
    await expect(importTape("")).rejects.toThrow("path");
  });
});

describe("YAML does nothing but be read", () => {
  const cassette = (body: string) =>
    `http_interactions:\n- request: {method: get, uri: "http://a.test/", headers: {}, body: ""}\n  response: {status: {code: 200, message: OK}, headers: {}, body: {string: ${body}}}\n`;

  test("tags make no objects", async () => {
    const tags = [
      '!!python/object/apply:os.system ["touch /tmp/x"]',
      "!ruby/object:Gem::Installer {i: x}",
      '!!js/function "function () { throw 1 }"',
      "!<tag:yaml.org,2002:js/regexp> /x/",
    ];
    for (const tag of tags) await failureOf(cassette(tag), "a.yml");
    await using folder = await tempFolder();
    await writeFile(folder.file("a.yml"), cassette('!!python/object/apply:os.getcwd "text"'));
    const tape = await importTape(folder.file("a.yml"));
    expect((await tape.entries[0]!.response())!.text()).toBe("text");
  });

  test("aliases do not multiply", async () => {
    let text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (let i = 1; i < 10; i++) text += `a${i}: &a${i} [${Array(10).fill(`*a${i - 1}`).join(", ")}]\n`;
    expect((await failureOf(`${text}http_interactions: *a9\n`, "a.yml"))!.message).toContain("alias");
  });

  test("what PyYAML writes once is read each time that it is meant", async () => {
    const request = "method: GET, uri: 'http://a.test/', body: null, headers: {a: *v}";
    const response = "status: {code: 200, message: OK}, headers: {b: *v}, body: {string: x}";
    const items = Array(300).fill(`- {request: {${request}}, response: {${response}}}`).join("\n");
    expect(await failureOf(`v: &v [one, two]\ninteractions:\n${items}\n`, "a.yaml")).toBeUndefined();
  });

  test("values are the text that stands there", async () => {
    await using folder = await tempFolder();
    const headers = "{a: [1e3], b: [0o17], c: [yes], d: ['null'], e: [2026-11-20], f: [~], g: [0x1F], h: [.5]}";
    const request = `{method: GET, uri: "http://a.test/", body: null, headers: ${headers}}`;
    const response = "{status: {code: 200, message: OK}, headers: {}, body: {string: 012}}";
    await writeFile(folder.file("a.yaml"), `interactions:\n- request: ${request}\n  response: ${response}\n`);
    const { entries: [entry] } = await importTape(folder.file("a.yaml"));
    expect(entry!.requestHeaders.raw.map(([, value]) => value)).toEqual(
      ["1e3", "0o17", "yes", "null", "2026-11-20", "", "0x1F", ".5"],
    );
    expect((await entry!.response())!.text()).toBe("012");
  });

  test("deep nesting, circles and endless keys are errors, not crashes", async () => {
    expect((await failureOf("[".repeat(200_000)))!.code).toBe("IMPORT_DAMAGED");
    for (const piece of ["- ", "? ", "[", "{a: "]) {
      const deep = await failureOf(`a: ${piece === "- " ? "\n " : ""}${piece.repeat(100_000)}x`, "a.yml");
      expect(deep!.message).toContain("more than 200 levels within one another");
    }
    expect((await failureOf("a: ".repeat(100_000) + "x", "a.yml"))!.code).toBe("IMPORT_DAMAGED");
    expect((await failureOf("http_interactions: &a [*a]\n", "a.yml"))!.code).toBe("IMPORT_DAMAGED");
  });

  test("what is wide is read in time that grows with its size", async () => {
    const wide = Array.from({ length: 50_000 }, (_, i) => `a${i}: x`).join("\n");
    expect((await failureOf(wide, "a.yml"))!.code).toBe("IMPORT_UNKNOWN");
  });

  test("too much of it is refused before it is parsed", async () => {
    const failure = await failureOf(Buffer.alloc(64 * 1024 * 1024 + 1, "x"), "a.yml");
    expect(failure!.message).toContain("it has more than 67108864 bytes of YAML");
  });
});

describe("names that mean something to JavaScript are names", () => {
  test("in JSON and YAML", async () => {
    const evil = '"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}';
    const definition = `"scope": "http://a.test", "method": "GET", "path": "/", "status": 200, "response": {${evil}}`;
    const headers = '"rawHeaders": {"__proto__": "x", "constructor": "y"}, "reqheaders": {"toString": "z"}';
    expect(await failureOf(`[{${definition}, ${headers}, ${evil}}]`)).toBeUndefined();
    const yaml =
      "interactions:\n- __proto__: {polluted: true}\n  request: {method: GET, uri: 'http://a.test/', headers: {__proto__: [x]}}\n" +
      "  response: {status: {code: 200, message: ''}, headers: {}, body: {string: ''}}\n";
    expect(await failureOf(yaml, "a.yaml")).toBeUndefined();
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe("every field may be of another type", () => {
  const samples = [
    "chrome.har",
    "charles.har",
    "insomnia.har",
    "polly/recording.har",
    "nock.json",
    "vcrpy.json",
    "hoverfly.json",
  ];
  test.each(samples)("%s", async (name) => {
    await using folder = await tempFolder();
    const path = folder.file("a.json");
    const document = JSON.parse(await readFile(sample(name), "utf8"));
    shorten(document);
    const text = JSON.stringify(document);
    const others = [null, 7, "\u0000\n", [null], { x: [{}] }];
    for (const [i, place] of placesOf(document).entries()) {
      for (const other of [others[i % 5], others[(i + 2) % 5]]) {
        await writeFile(path, JSON.stringify(changed(JSON.parse(text), place, other)));
        await importAll(path);
      }
    }
  }, 120_000);

  test("mappings of WireMock", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.json");
    const mapping = {
      request: {
        method: "POST",
        urlPath: "/a",
        host: { equalTo: "a.test" },
        port: 81,
        scheme: "http",
        headers: { a: { equalTo: "b", caseInsensitive: true } },
        cookies: { a: { equalTo: "b" } },
        queryParameters: { a: { hasExactly: [{ equalTo: "b" }] } },
        basicAuthCredentials: { username: "u", password: "p" },
        bodyPatterns: [{ equalToJson: { a: 1 } }],
      },
      response: { status: 200, statusMessage: "Fine", headers: { a: ["b", "c"] }, base64Body: "aGk=" },
      scenarioName: "s",
      requiredScenarioState: "Started",
      newScenarioState: "x",
      insertionIndex: 1,
      priority: 2,
    };
    for (const place of placesOf(mapping)) {
      for (const other of [null, 7, "\n", [], [null], { x: [{}] }]) {
        await writeFile(path, JSON.stringify({ mappings: [changed(structuredClone(mapping), place, other)] }));
        await importAll(path);
      }
    }
  }, 60_000);
});

describe("archives", () => {
  const har = '{"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": []}}';

  test("one that is cut anywhere is an error", async () => {
    const whole = await readFile(sample("playwright.zip"));
    for (let length = 4; length < whole.length; length += 97) {
      expect((await failureOf(whole.subarray(0, length), "a.zip"))!.message).toContain(
        "the archive: it is not complete",
      );
    }
  });

  test("one with any byte changed is read or an error", async () => {
    const whole = await readFile(sample("playwright.zip"));
    for (let at = 0; at < whole.length; at += 31) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 0xff;
      await failureOf(changed, "a.zip");
    }
  });

  test.each([
    {
      what: "two HAR files",
      members: [{ name: "a.har", data: har }, { name: "b.har", data: har }],
      message: "there are 2",
    },
    { what: "none", members: [{ name: "a.txt", data: har }], message: "there are 0" },
    { what: "one name twice", members: [{ name: "a.har", data: har }, { name: "a.har", data: har }], message: "twice" },
    { what: "more than it says", members: [{ name: "a.har", data: har, size: 10 }], message: "cannot be unpacked" },
    { what: "less than it says", members: [{ name: "a.har", data: har, size: 1000 }], message: "not as long as" },
    { what: "more than anybody needs", members: [{ name: "a.har", data: har, size: 4e9 }], message: "has more than" },
    {
      what: "a way of packing that nobody knows",
      members: [{ name: "a.har", data: har, method: 12 }],
      message: "unknown way",
    },
    { what: "a password", members: [{ name: "a.har", data: har, flags: 1 }], message: "encrypted" },
  ])("$what", async ({ members, message }) => {
    expect((await failureOf(zipOf(members), "a.zip"))!.message).toContain(message);
  });

  test("a WebSocket of Playwright, whose messages are in a file", async () => {
    await using folder = await tempFolder();
    const entry = {
      _resourceType: "websocket",
      request: { method: "GET", url: "ws://a.test/", headers: [] },
      response: { status: 101, headers: [], content: { _file: "a.jsonl" } },
    };
    const log = { version: "1.2", creator: { name: "Playwright", version: "1" }, entries: [entry] };
    const lines =
      '{"type":"send","time":1767225600000,"opcode":1,"data":"hi"}\n{"type":"receive","time":-1,"opcode":2,"data":"AQI="}\n';
    const members = [{ name: "har.har", data: JSON.stringify({ log }) }, { name: "a.jsonl", data: lines }];
    await writeFile(folder.file("a.zip"), zipOf(members));
    const { entries } = await importTape(folder.file("a.zip"));
    expect((await entries[0]!.said())!.map(({ from, data }) => [from, ...data])).toEqual([
      ["client", 0x68, 0x69],
      ["server", 1, 2],
    ]);
  });

  test("a bomb is not unpacked", async () => {
    const data = Buffer.alloc(50_000_000, " ");
    const before = process.memoryUsage().rss;
    expect((await failureOf(zipOf([{ name: "a.har", data, size: 1000 }]), "a.zip"))!.message).toContain(
      "cannot be unpacked",
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  });

  test("names with folders lead nowhere", async () => {
    for (const name of ["../../../etc/passwd", "/etc/passwd", "..\\a", "C:\\a", "a/../../b"]) {
      const entry = {
        request: { method: "GET", url: "http://a.test/", headers: [] },
        response: { status: 200, headers: [], content: { _file: name } },
      };
      const log = JSON.stringify({
        log: { version: "1.2", creator: { name: "Playwright", version: "1" }, entries: [entry] },
      });
      const failure = await failureOf(zipOf([{ name: "har.har", data: log }, { name, data: "x" }]), "a.zip");
      expect(failure).toMatchObject({ code: "TAPE_BODY_PATH" });
      expect(await failureOf(log, "a.har")).toMatchObject({ code: "TAPE_BODY_PATH" });
    }
  });
});

describe("files beside", () => {
  const entry = {
    request: { method: "GET", url: "http://a.test/", headers: [] },
    response: { status: 200, headers: [], content: { _file: "a.txt" } },
  };
  const log = JSON.stringify({
    log: { version: "1.2", creator: { name: "Playwright", version: "1" }, entries: [entry] },
  });

  test("a missing one is named", async () => {
    const failure = await failureOf(log, "a.har");
    expect(failure).toMatchObject({ code: "IMPORT_BODY_MISSING" });
    expect(failure!.message).toContain("log.entries[0] (GET http://a.test/): the body file a.txt is missing");
  });

  test.skipIf(process.platform === "win32")("links are not followed", async () => {
    await using folder = await tempFolder();
    await writeFile(folder.file("secret"), "secret");
    await mkdir(folder.file("har"));
    await writeFile(folder.file("har/a.har"), log);
    await symlink(folder.file("secret"), folder.file("har/a.txt"));
    await expect(importTape(folder.file("har/a.har"))).rejects.toMatchObject({ code: "IMPORT_BODY_MISSING" });
    await mkdir(folder.file("mock/mappings"), { recursive: true });
    await mkdir(folder.file("mock/__files"));
    await symlink(folder.file("secret"), folder.file("mock/__files/b"));
    const mapping = { request: { method: "GET", url: "/" }, response: { bodyFileName: "b" } };
    await writeFile(folder.file("mock/mappings/a.json"), JSON.stringify(mapping));
    const importing = importTape(folder.file("mock"), { origin: "http://a.test" });
    await expect(importing).rejects.toThrow(
      'mappings/a.json: response.bodyFileName is "b": the name of a file in __files',
    );
    mapping.response.bodyFileName = "../../secret";
    await writeFile(folder.file("mock/mappings/a.json"), JSON.stringify(mapping));
    await expect(importTape(folder.file("mock"), { origin: "http://a.test" })).rejects.toThrow(
      "the name of a file in __files",
    );
  });
});

async function importAll(path: string): Promise<void> {
  try {
    const tape = await importTape(path, { origin: "http://a.test", inexact: "leave" });
    for (const entry of tape.entries) await Promise.all([entry.request(), entry.response(), entry.parts()]);
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
  }
}

/** The first of every list, and the last. */
function shorten(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value) && value.length > 2) value.splice(1, value.length - 2);
  for (const member of Object.values(value)) shorten(member);
}

function placesOf(value: unknown, place: string[] = []): string[][] {
  const own = place.length === 0 ? [] : [place];
  if (typeof value !== "object" || value === null) return own;
  return [...own, ...Object.entries(value).flatMap(([name, member]) => placesOf(member, [...place, name]))];
}

function changed(document: Record<string, unknown>, place: string[], value: unknown): unknown {
  let at = document;
  for (const name of place.slice(0, -1)) at = at[name] as Record<string, unknown>;
  at[place.at(-1)!] = value;
  return document;
}

interface Member {
  name: string;
  data: string | Uint8Array;
  size?: number;
  method?: number;
  flags?: number;
}

function zipOf(members: readonly Member[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const { name, data, size, method = 8, flags = 0 } of members) {
    const bytes = Buffer.from(data as string);
    const packed = deflateRawSync(bytes);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50);
    central.writeUInt16LE(flags, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(packed.length, 20);
    central.writeUInt32LE(size ?? bytes.length, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt32LE(at, 42);
    parts.push(local, Buffer.from(name), packed);
    directory.push(central, Buffer.from(name));
    at += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}
