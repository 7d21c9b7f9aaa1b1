// Entries that nothing asks for, and tests that have failed.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LogEntry, Proxy, TapeOptions } from "../../../src/mod.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { ask, entriesOf, startProxy } from "../proxies.ts";
import { open, pass } from "../tapes.ts";

let folder: TempFolder;
let path: string;
let origin: Origin;
let log: string[];

beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("a.har");
  log = [];
  origin = await startOrigin(({ target }) => ({ body: target.startsWith("/large") ? target.repeat(1000) : target }));
});

afterEach(async () => {
  await origin[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function start(options: Partial<TapeOptions> = {}): Promise<Proxy> {
  const keep = ({ level, message }: LogEntry) => void log.push(`${level}: ${message}`);
  return await startProxy({ tape: { path, ...options }, addons: [{ log: keep }] });
}

async function record(...targets: string[]): Promise<void> {
  await using proxy = await start({ mode: "record" });
  for (const target of targets) await ask(proxy, origin.url + target);
}

const problemOf = (closing: Promise<void>) => closing.then(() => undefined, (error: Error) => error);

describe("unused", () => {
  beforeEach(() => record("/a", "/b", "/large"));

  test("ignore, by default", async () => {
    const proxy = await start();
    await ask(proxy, `${origin.url}/a`);
    expect(proxy.unused.map(String)).toEqual([`GET ${origin.url}/b`, `GET ${origin.url}/large`]);
    await proxy.close();
    expect(log).toEqual([]);
  });

  test("warn: one line in the log", async () => {
    const proxy = await start({ unused: "warn" });
    await ask(proxy, `${origin.url}/a`);
    await proxy.close();
    expect(log).toEqual([
      `warn: 2 entries of 3 on the tape ${path} were not asked for: entry 1: GET ${origin.url}/b ` +
      `entry 2: GET ${origin.url}/large`,
    ]);
  });

  test("fail: close() rejects, and says which and what to do", async () => {
    const proxy = await start({ unused: "fail", mode: "replay" });
    await ask(proxy, `${origin.url}/a`);
    await ask(proxy, `${origin.url}/large`);
    const problem = await problemOf(proxy.close());
    expect(problem).toMatchObject({ name: "TapeError", code: "TAPE_UNUSED" });
    expect(problem!.message).toContain(
      `1 entry of 3 on the tape ${path} was not asked for:\n  entry 1: GET ${origin.url}/b\n`,
    );
    expect(problem!.message).toContain('unused: "prune"');
    const all = await start({ unused: "fail" });
    for (const target of ["/a", "/b", "/large"]) await ask(all, origin.url + target);
    await all.close();
  });

  test("prune: they are taken off the tape, with their bodies", async () => {
    const proxy = await start({ unused: "prune" });
    await ask(proxy, `${origin.url}/b`);
    await ask(proxy, `${origin.url}/new`);
    await proxy.close();
    expect(await entriesOf(path)).toEqual(["GET /b /b", "GET /new /new"]);
    expect(existsSync(`${path}.d`)).toBe(false);
    expect(log.some((line) => line.startsWith("info: taken off: 2 entries of 3"))).toBe(true);
  });

  test("prune in mode replay as well, and nothing else changes", async () => {
    const proxy = await start({ unused: "prune", mode: "replay" });
    for (const target of ["/a", "/large"]) await ask(proxy, origin.url + target);
    await proxy.close();
    expect((await entriesOf(path)).map((entry) => entry.slice(0, 10))).toEqual(["GET /a /a", "GET /large"]);
    expect(await readdir(`${path}.d`)).toHaveLength(1);
    await using again = await start({ mode: "replay" });
    expect(await ask(again, `${origin.url}/large`)).toBe(`200 ${"/large".repeat(1000)}`);
  });

  test.each<[string, string, (proxy: Proxy) => Promise<unknown>]>([
    ["the whole tape would go", "they stay, as that is the whole tape", () => Promise.resolve()],
    [
      "another request matched nothing",
      "they stay, as other requests matched nothing",
      (proxy) => Promise.all(["/a", "/x"].map((target) => ask(proxy, origin.url + target))),
    ],
  ])("prune takes nothing off where %s", async (_what, message, use) => {
    const proxy = await start({ unused: "prune", mode: "replay" });
    await use(proxy);
    await problemOf(proxy.close());
    expect(log.join("\n")).toContain(message);
    expect(await entriesOf(path)).toHaveLength(3);
  });

  test("prune on a CI server: a warning, as tapes are not written there", async () => {
    const { tape, log } = await open(path, { unused: "prune" }, undefined, { CI: "true" });
    await pass(tape, { url: `${origin.url}/a` });
    await tape.close();
    expect(log[0]!.message).toContain("were not asked for");
    expect(await entriesOf(path)).toHaveLength(3);
  });

  test("prune leaves a tape that somebody has changed meanwhile as it is", async () => {
    const proxy = await start({ unused: "prune", mode: "replay" });
    await ask(proxy, `${origin.url}/a`);
    await record("/c");
    await proxy.close();
    expect(log.join()).toContain("they stay, as the tape has changed meanwhile");
    expect(await entriesOf(path)).toEqual(["GET /c /c"]);
  });

  test("prune beside another proxy that replays: its bodies stay", async () => {
    await using other = await start({ mode: "replay" });
    const proxy = await start({ unused: "prune", mode: "replay" });
    await ask(proxy, `${origin.url}/a`);
    await proxy.close();
    expect(await ask(other, `${origin.url}/large`)).toBe(`200 ${"/large".repeat(1000)}`);
  });

  test("what this run was to record or to leave alone is not unused", async () => {
    const proxy = await start({ unused: "fail", modes: [["/b", "record"], ["/large", "passthrough"]] });
    await ask(proxy, `${origin.url}/a`);
    await proxy.close();
  });
});

describe("a test that has failed", () => {
  const ways: [string, (proxy: Proxy) => Promise<void>][] = [
    ["close({ failed: true })", (proxy) => proxy.close({ failed: true })],
    ["discard()", (proxy) => {
      proxy.discard();
      return proxy.close();
    }],
  ];

  test.each(ways)("%s: leaves its tape as it was, and nothing behind", async (_what, close) => {
    await record("/a", "/large/1");
    const before = await readFile(path, "utf8");
    for (const mode of ["record", "auto"] as const) {
      const proxy = await start({ mode, unused: "fail" });
      for (const target of ["/b", "/large/2"]) await ask(proxy, origin.url + target);
      await close(proxy);
      expect(await readFile(path, "utf8")).toBe(before);
      expect(await readdir(`${path}.d`)).toHaveLength(1);
    }
    expect(await readdir(folder.path)).toHaveLength(2);
  });

  test("without a tape there is none afterwards", async () => {
    const proxy = await start();
    await ask(proxy, `${origin.url}/large`);
    await proxy.close({ failed: true });
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("nothing is pruned, and unused entries do not hide why it failed", async () => {
    await record("/a", "/b");
    for (const unused of ["prune", "fail", "warn"] as const) {
      const proxy = await start({ unused });
      await ask(proxy, `${origin.url}/a`);
      await proxy.close({ failed: true });
    }
    expect(await entriesOf(path)).toHaveLength(2);
    expect(log.filter((line) => line.startsWith("warn"))).toEqual([]);
  });

  test("what it was refused is told all the same: that may be why it failed", async () => {
    const proxy = await start({ mode: "replay", unused: "fail" });
    await ask(proxy, `${origin.url}/a`);
    await expect(proxy.close({ failed: true })).rejects.toMatchObject({ code: "UNMATCHED_REQUEST" });
  });

  test("another recording of the same tape, at the same time, keeps its bodies", async () => {
    const failing = await start();
    const passing = await start();
    await ask(failing, `${origin.url}/large`);
    await ask(passing, `${origin.url}/large`);
    // Both have it in their journals, which name the one file.
    await expect.poll(async () => {
      const names = (await readdir(`${path}.d`)).filter((name) => name.startsWith(".journal-"));
      const journals = await Promise.all(names.map((name) => readFile(`${path}.d/${name}`, "utf8")));
      return journals.filter((journal) => journal.includes("_file")).length;
    }).toBe(2);
    await failing.close({ failed: true });
    await passing.close();
    await using replay = await start({ mode: "replay" });
    expect(await ask(replay, `${origin.url}/large`)).toBe(`200 ${"/large".repeat(1000)}`);
  });

  test("without a tape at all, discard() is nothing", async () => {
    const proxy = await startProxy();
    proxy.discard();
    await proxy.close({ failed: true });
  });
});
