import { Buffer } from "node:buffer";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { readTape } from "../../src/tape/mod.ts";
import { fileStore } from "../../src/tape/store/file_store.ts";
import { startOrigin } from "../support/origin.ts";
import { tempFolder } from "../support/temp.ts";
import { startRecorder } from "./recorders.ts";
import { answer, flowOf, open, record } from "./tapes.ts";

const names = async (path: string) => (await readTape(path)).entries.map(({ url }) => new URL(url).pathname);

describe.each(["record", "auto"] as const)("four processes record on one tape at once, mode %s", (mode) => {
  test("nothing is lost, what is the same is there once, and the file is the same every time", async () => {
    await using origin = await startOrigin(({ target }) => ({
      body: target.includes("big") ? target.repeat(2000) : target,
      headers: [["x-request-id", String(Math.random())]],
    }));
    await using folder = await tempFolder();
    const texts: string[] = [];
    for (const round of ["1", "2"]) {
      const path = folder.file(round, "a.har");
      await record(path, [{ url: "https://shop.test/old", response: { body: "x".repeat(5000) } }]);
      const processes = [0, 1, 2, 3].map((i) => {
        const own = Array.from({ length: 10 }, (_, n) => `/own/${i}/${n}${n % 3 === 0 ? "big" : ""}`);
        const targets = own.flatMap((target, n) => [target, `/shared/${n}${n % 2 === 0 ? "big" : ""}`]);
        return startRecorder({ path, mode, origin: origin.url, targets, waits: true });
      });
      await Promise.all(processes.map((it) => it.said(/^waiting/)));
      for (const it of processes) it.go();
      const results = await Promise.all(processes.map((it) => it.over));
      expect(results.map(({ steps }) => steps !== undefined)).toEqual([true, true, true, true]);

      const there = await names(path);
      const wanted = new Set(results.flatMap(({ done }) => done));
      if (mode === "auto") wanted.add("/old");
      expect(there.toSorted()).toEqual([...wanted].sort());
      for (const entry of await readTape(path)) expect((await entry.response())!.status).toBe(200);
      expect((await readdir(`${path}.d`)).filter((name) => name.startsWith("."))).toEqual([]);
      texts.push((await readFile(path, "utf8")).replace(/"0\.\d+"/g, "an id").replaceAll(origin.url, "origin"));
    }
    expect(texts[1]).toBe(texts[0]);
  }, 60_000);
});

test("one of them is killed: what it had recorded is there when the last has closed", async () => {
  await using origin = await startOrigin(({ target }) => ({ body: target }));
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const start = (targets: string[]) =>
    startRecorder({ path, mode: "record", origin: origin.url, targets, waits: true });
  const killed = start(["/killed/1", "/killed/2", "/killed/3"]);
  const last = start(["/last"]);
  await Promise.all([killed.said(/^waiting/), last.said(/^waiting/)]);
  killed.kill();
  await killed.over;
  last.go();
  await last.over;
  // The exchange that was being written may be lost, and no other.
  const there = (await names(path)).filter((name) => name !== "/killed/3");
  expect(there.toSorted()).toEqual(["/killed/1", "/killed/2", "/last"]);
}, 30_000);

test("of two that record anew one is done, and a third one opens the tape before the other ends: nothing is lost", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const flow = (name: string) => flowOf({ url: `https://shop.test/${name}`, response: { body: name } });
  const [a, b] = [await open(path, { mode: "record" }), await open(path, { mode: "record" })];
  a.tape.record(flow("a"));
  b.tape.record(flow("b"));
  await b.tape.close();
  const c = await open(path, { mode: "auto" });
  await c.tape.close();
  await a.tape.close();
  expect((await names(path)).toSorted()).toEqual(["/a", "/b"]);
  expect((await readdir(folder.path)).filter((name) => name !== "a.har")).toEqual([]);
});

test("a journal of a process that still runs is left alone by others, and replayed by nobody", async () => {
  await using origin = await startOrigin(({ target }) => ({ body: target }));
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const other = startRecorder({ path, mode: "auto", origin: origin.url, targets: ["/other"], waits: true });
  await other.said(/^waiting/);
  const { tape, log } = await open(path, { mode: "replay" });
  expect(await answer(tape, { url: `${origin.url}/other` })).toContain("Nothing on the tape");
  await tape.close();
  await record(path, [{ url: "https://shop.test/mine", response: { body: "x" } }]);
  expect(log).toEqual([]);
  other.go();
  await other.over;
  expect((await names(path)).toSorted()).toEqual(["/mine", "/other"]);
}, 30_000);

describe("the lock", () => {
  test("is had by one at a time", async () => {
    await using folder = await tempFolder();
    let inside = 0;
    await Promise.all(Array.from({ length: 20 }, async () => {
      const unlock = await fileStore.lock(folder.file("a.har"));
      expect(++inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      inside--;
      await unlock();
      await unlock();
    }));
    expect(await readdir(folder.path)).toEqual([]);
  });

  const gone = { pid: 2 ** 22 - 3, start: "1", host: "" };
  test.each([
    ["of a process that is gone", async () => ({ ...gone, host: await hostOfLock() })],
    [
      "of a process whose number another one has now",
      async () => ({ pid: process.pid, start: "1", host: await hostOfLock() }),
    ],
  ])("%s is taken away", async (_, owner) => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await mkdir(`${path}.d`);
    await writeFile(`${path}.d/.lock`, JSON.stringify(await owner()));
    const unlock = await fileStore.lock(path);
    expect(JSON.parse(await readFile(`${path}.d/.lock`, "utf8")).pid).toBe(process.pid);
    await unlock();
  });

  test("many find the same stale lock: one at a time all the same", async () => {
    await using folder = await tempFolder();
    const path = folder.file("a.har");
    await mkdir(`${path}.d`);
    await writeFile(`${path}.d/.lock`, JSON.stringify({ ...gone, host: await hostOfLock() }));
    let inside = 0;
    await Promise.all(Array.from({ length: 20 }, async () => {
      const unlock = await fileStore.lock(path);
      expect(++inside).toBe(1);
      await Promise.resolve();
      inside--;
      await unlock();
    }));
  });
});

async function hostOfLock(): Promise<string> {
  await using folder = await tempFolder();
  const unlock = await fileStore.lock(folder.file("a.har"));
  const { host } = JSON.parse(await readFile(folder.file("a.har.d", ".lock"), "utf8")) as { host: string };
  await unlock();
  return host;
}

test("an exchange whose body was not written any more is not recovered", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const { tape } = await open(path, { mode: "record" }, {
    ...fileStore,
    write: (name, pieces) => name === path ? Promise.reject(new Error("no")) : fileStore.write(name, pieces),
  });
  for (const name of ["a", "b"]) {
    tape.record(flowOf({ url: `https://shop.test/${name}`, response: { body: name.repeat(5000) } }));
  }
  await expect(tape.close()).rejects.toThrow("What was recorded is in");
  const [body] = (await readdir(`${path}.d`)).filter((name) => !name.startsWith("."));
  await rm(`${path}.d/${body}`);
  const next = await open(path, { mode: "auto" });
  await next.tape.close();
  expect(next.log[0]!.message).toContain("the tape has now 1 exchange of it");
  expect(await names(path)).toHaveLength(1);
  await (await readTape(path)).entries[0]!.response();
});

test("journals that make no sense are removed, and say nothing", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [{ response: { body: "x" } }]);
  await mkdir(`${path}.d`, { recursive: true });
  const file = (n: number) => `${path}.d/.journal-1-00000000000${n}.jsonl`;
  await writeFile(file(1), "");
  await writeFile(file(2), "half a li");
  await writeFile(file(3), '{"keep":"all"}\n');
  await writeFile(file(4), Buffer.from([0xff, 0x0a, 0x7b]));
  for (const mode of ["replay", "auto"] as const) {
    const { tape, log } = await open(path, { mode });
    tape.record(flowOf({ response: {} }));
    expect(log).toEqual([]);
    await tape.close();
  }
  expect((await readdir(folder.path)).toSorted()).toEqual(["a.har"]);
});
