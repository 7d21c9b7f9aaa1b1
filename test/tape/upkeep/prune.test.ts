// Tapes that no test uses, and what there is on tapes.
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { prune, stats, type TapeMode } from "../../../src/tape/mod.ts";
import { type TempFolder, tempFolder } from "../../support/temp.ts";
import { har, harEntry, open, record } from "../tapes.ts";

let folder: TempFolder;

beforeEach(async () => {
  folder = await tempFolder();
});

afterEach(async () => {
  await folder[Symbol.asyncDispose]();
});

async function make(...names: string[]): Promise<void> {
  for (const name of names) {
    const path = folder.file(name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, name.endsWith(".har") ? har(harEntry()) : "");
  }
}

const shown = (paths: string[]) => paths.map((path) => path.slice(folder.path.length + 1));

describe("prune()", () => {
  test("finds the tapes that no run has opened, in whatever mode", async () => {
    await make(
      "a.har",
      "b.har",
      "c.har",
      "more/d.har",
      "more/e.har",
      "more/note.txt",
      "node_modules/x/f.har",
      ".git/g.har",
    );
    const usage = folder.file("run", "used");
    const use = async (name: string, mode: TapeMode) => {
      const { tape } = await open(folder.file(name), { mode }, undefined, { FLOWTAPE_USAGE: usage });
      await tape.close();
    };
    await use("a.har", "replay");
    await use("b.har", "passthrough");
    await use("more/../more/d.har", "auto");
    await use("more/d.har", "replay");
    expect(shown(await prune(folder.path, { usage }))).toEqual(["c.har", "more/e.har"]);
    expect(shown(await prune(folder.file("more"), { usage }))).toEqual(["more/e.har"]);
    expect((await readFile(usage, "utf8")).trim().split("\n")).toHaveLength(4);
  });

  test("many at once are all noted", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `${i}.har`);
    await make(...names);
    const usage = folder.file("used");
    const env = { FLOWTAPE_USAGE: usage };
    const opened = await Promise.all(names.map((name) => open(folder.file(name), { mode: "replay" }, undefined, env)));
    await Promise.all(opened.map(({ tape }) => tape.close()));
    expect(await prune(folder.path, { usage })).toEqual([]);
  });

  test("removes them with their bodies where that is wanted", async () => {
    await record(folder.file("old.har"), [{ response: { body: "x".repeat(3000) } }]);
    await make("used.har", "used");
    await writeFile(folder.file("used"), `${JSON.stringify(folder.file("used.har"))}\n`);
    expect(shown(await prune(folder.path, { usage: folder.file("used") }))).toEqual(["old.har"]);
    expect(existsSync(folder.file("old.har"))).toBe(true);
    await prune(folder.path, { usage: folder.file("used"), remove: true });
    expect([existsSync(folder.file("old.har")), existsSync(folder.file("old.har.d"))]).toEqual([false, false]);
    expect(existsSync(folder.file("used.har"))).toBe(true);
  });

  test("without a run to go by: tapes of test files that are gone", async () => {
    await make(
      "a.har",
      "shop/checkout.test.ts",
      "shop/__tapes__/checkout/empty.har",
      "shop/cart_test.js",
      "shop/__tapes__/cart/full.har",
      "shop/__tapes__/gone/old.har",
      "shop/gone.txt",
      "alone/__tapes__/gone/old.har",
    );
    const found = ["alone/__tapes__/gone/old.har", "shop/__tapes__/gone/old.har"];
    expect(shown(await prune(folder.path))).toEqual(found);
    expect(shown(await prune(folder.path, { remove: true }))).toEqual(found);
    expect(existsSync(join(folder.path, "alone/__tapes__"))).toBe(false);
    expect(existsSync(join(folder.path, "shop/__tapes__/checkout/empty.har"))).toBe(true);
    expect(existsSync(join(folder.path, "shop/__tapes__/gone"))).toBe(false);
  });

  test("no such folder, no such list, and a list that is none", async () => {
    await expect(prune(folder.file("nowhere"))).rejects.toMatchObject({ code: "TAPE_NOT_FOUND" });
    await expect(prune(folder.path, { usage: folder.file("nowhere") })).rejects.toThrow(
      "run all tests with FLOWTAPE_USAGE=",
    );
    await make("list");
    await writeFile(folder.file("list"), "a.har\n");
    await expect(prune(folder.path, { usage: folder.file("list") })).rejects.toThrow("is no list of used tapes");
  });

  test("an empty run has used nothing", async () => {
    await make("a.har", "used");
    expect(shown(await prune(folder.path, { usage: folder.file("used") }))).toEqual(["a.har"]);
  });
});

describe("stats()", () => {
  test("counts entries, bytes, hosts, shared bodies, and knows the oldest", async () => {
    const body = "x".repeat(3000);
    await record(folder.file("a.har"), [
      { url: "https://a.test/1", response: { body } },
      { url: "https://a.test/2", response: { body } },
      { url: "https://b.test:8443/", response: { body: "small" } },
    ], { expires: { after: "1d", then: "warn" } });
    await mkdir(folder.file("more"));
    await writeFile(folder.file("more", "b.har"), har({ ...harEntry(), startedDateTime: "2021-05-06T07:08:09Z" }));
    const all = await stats(folder.path);
    expect(all.tapes.map(({ path }) => path)).toEqual([folder.file("a.har"), folder.file("more", "b.har")]);
    const [first] = all.tapes;
    const size = (await readFile(folder.file("a.har"))).length;
    expect(first).toMatchObject({ entries: 3, bytes: size + 3000, bodies: 1, saved: 3000 });
    expect(first!.hosts).toEqual({ "a.test": 2, "b.test:8443": 1 });
    expect(first!.recorded).toBe(new Date().toISOString().slice(0, 10));
    expect(all).toMatchObject({ entries: 4, saved: 3000, hosts: { "a.test": 2, "b.test:8443": 1, "shop.test": 1 } });
    expect(all.oldest!.recorded).toBe("2021-05-06");
    expect(String(all)).toContain("4 entries on 2 tapes, ");
    expect(String(all)).toMatch(/ {6}3 {2}\d\.\d kB {2}\d{4}-\d\d-\d\d {2}.*a\.har\n/);
    expect(String(all)).toContain("shared bodies save 3.0 kB; the oldest is of 2021-05-06\nhosts: a.test 2");
  });

  test("of single tapes, of none, and of damaged ones", async () => {
    await make("a.har", "b.har");
    expect((await stats([folder.file("b.har")])).tapes).toHaveLength(1);
    await mkdir(folder.file("empty"));
    expect(String(await stats(folder.file("empty")))).toContain("0 entries on 0 tapes, 0 B\nhosts: none");
    await writeFile(folder.file("b.har"), "{");
    await expect(stats(folder.path)).rejects.toMatchObject({ code: "TAPE_DAMAGED" });
    await expect(stats(["nowhere.har"])).rejects.toMatchObject({ code: "TAPE_NOT_FOUND" });
  });
});
