import { readdir, readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { readTape } from "../../src/tape/mod.ts";
import { startOrigin } from "../support/origin.ts";
import { tempFolder } from "../support/temp.ts";
import { startRecorder } from "./recorders.ts";
import { open, record } from "./tapes.ts";

const bodyOf = (target: string) => `new ${target} `.repeat(target.endsWith("big") ? 1000 : 3);
const targets = ["/0", "/1big", "/2"];
const BATCH = 4;

/** The old tape, and the bodies it refers to. */
async function old(folder: { file(name: string): string }): Promise<string> {
  const path = folder.file("a.har");
  await record(path, [
    { url: "https://shop.test/old", response: { body: "x".repeat(5000) } },
    { url: "https://shop.test/older", response: { body: "y" } },
  ]);
  return await readFile(path, "utf8");
}

/** What must hold when a process has died while it recorded, and when the next one has opened the tape. */
async function check(path: string, before: string, done: readonly string[], mode: string, closed: boolean) {
  const now = await readFile(path, "utf8");
  // All but the one that was just being written.
  const safe = closed ? done : done.slice(0, -1);
  if (now !== before) expect((await paths(path)).filter((name) => name !== "/old" && name !== "/older")).toEqual(done);
  else for (const entry of await readTape(path)) await entry.response();

  const next = await open(path, { mode: "auto" });
  await next.tape.close();
  const there = await paths(path);
  expect(there).toEqual(expect.arrayContaining([...safe]));
  if (mode === "auto" || !closed && now === before) expect(there).toEqual(expect.arrayContaining(["/old", "/older"]));
  expect(new Set(there).size).toBe(there.length);
  for (const entry of await readTape(path)) {
    const { pathname } = new URL(entry.url);
    if (!pathname.startsWith("/old")) expect((await entry.response())!.text()).toBe(bodyOf(pathname));
  }
  if (now === before && safe.length > 0) {
    expect(next.log[0]!.message).toMatch(/was broken off; the tape has now \d+ exchange/);
  }
  // Nothing is left but bodies.
  expect((await readdir(`${path}.d`)).filter((name) => /journal|lock/.test(name))).toEqual([]);
}

async function paths(path: string): Promise<string[]> {
  return (await readTape(path)).entries.map(({ url }) => new URL(url).pathname);
}

describe.each(["auto", "record"] as const)("a process that is killed while it records, mode %s", (mode) => {
  test("at every step of writing: only what was being written is lost", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: bodyOf(target) }));
    let steps: number | undefined;
    for (let from = 1; steps === undefined; from += BATCH) {
      await Promise.all(Array.from({ length: BATCH }, async (_, i) => {
        await using folder = await tempFolder();
        const path = folder.file("a.har");
        const before = await old(folder);
        const result = await startRecorder({ path, mode, origin: origin.url, targets, dieAt: from + i }).over;
        steps ??= result.steps;
        await check(path, before, result.done, mode, result.steps !== undefined);
      }));
    }
    expect(steps).toBeGreaterThan(10);
  }, 120_000);

  test("at any moment", async () => {
    await using origin = await startOrigin(({ target }) => ({ body: bodyOf(target) }));
    const many = Array.from({ length: 300 }, (_, i) => `/${i}${i % 3 === 0 ? "big" : ""}`);
    await Promise.all(Array.from({ length: BATCH }, async (_, i) => {
      await using folder = await tempFolder();
      const path = folder.file("a.har");
      const before = await old(folder);
      const child = startRecorder({ path, mode, origin: origin.url, targets: many, waits: true });
      await child.said(/^done/);
      await setTimeout(Math.random() * 40 * i);
      child.kill();
      const { done } = await child.over;
      await check(path, before, done, mode, false);
    }));
  }, 60_000);
});
