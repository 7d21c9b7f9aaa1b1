import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout } from "node:timers";
import { describe, expect, test } from "vitest";
import { readTape } from "../../src/tape/mod.ts";
import { fileStore } from "../../src/tape/store/file_store.ts";
import type { TapeStore } from "../../src/tape/store/tape_store.ts";
import { tempFolder } from "../support/temp.ts";
import { answer, flowOf, open, record } from "./tapes.ts";

const flow = (name: string, letter: string) => ({
  url: `https://shop.test/${name}`,
  headers: { "content-type": "text/plain" },
  method: "POST",
  body: letter.repeat(3000),
  response: { headers: { "content-type": "text/plain" }, body: letter.repeat(4000) },
});

/** Every file below a folder. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) found[entry.name] = await readFile(`${entry.parentPath}/${entry.name}`, "utf8");
  }
  return found;
}

/** Does what the store of files does, until the given step; from then on everything fails, as when a disk is full or a process dies. */
function dyingAt(step: number, kind: "whole files" | "growing files"): TapeStore & { steps: number } {
  const alive = <T>(action: () => Promise<T>): Promise<T> =>
    ++store.steps > step ? Promise.reject(new Error("no space left on device")) : action();
  const store: TapeStore & { steps: number } = {
    steps: 0,
    read: (path) => alive(() => fileStore.read(path)),
    list: (folder) => alive(() => fileStore.list(folder)),
    write: (path, pieces) => alive(() => fileStore.write(path, pieces)),
    remove: (folder, names) => alive(() => fileStore.remove(folder, names)),
  };
  if (kind === "whole files") return store;
  return {
    ...store,
    get steps() {
      return store.steps;
    },
    append: (path) =>
      alive(async () => {
        const file = await fileStore.append(path);
        return {
          append: (text) => alive(() => Promise.resolve(file.append(text))),
          read: (position, length) => alive(() => file.read(position, length)),
          close: () => file.close(),
        };
      }),
  };
}

describe.each(["whole files", "growing files"] as const)("a store of %s that fails from some moment on", (kind) => {
  test.each(["record", "auto"] as const)("in mode %s: the tape is the old one or the new one", async (mode) => {
    const outcomes: string[] = [];
    for (let step = 1;; step++) {
      await using folder = await tempFolder();
      const path = folder.file("a.har");
      await record(path, [flow("a", "a"), flow("b", "b")]);
      const before = await contents(folder.path);
      const store = dyingAt(step, kind);
      const recording = async () => {
        const { tape } = await open(path, { mode }, store);
        tape.record(flowOf(flow("b", "c")));
        tape.record(flowOf(flow("d", "d")));
        await tape.close();
      };
      const error = await recording().then(() => undefined, (error: unknown) => error);
      const after = await contents(folder.path);

      for (const [name, bytes] of Object.entries(before)) if (error !== undefined) expect(after[name]).toBe(bytes);
      if (error !== undefined) {
        expect(error).toMatchObject({ message: expect.stringContaining("no space left on device") });
      }
      const tapes = (await readTape(path)).entries.map(({ url }) => url);
      outcomes.push(error === undefined ? "new" : "old");
      if (error === undefined) expect(tapes).toContain("https://shop.test/d");

      // What the journal has is replayed at once, and on the tape with the next recording.
      const { tape: replay, log } = await open(path, { mode: "replay" });
      const there = await answer(replay, flow("d", "d")) === "d".repeat(4000);
      if (error === undefined) expect(there).toBe(true);
      else if (there) expect(log[0]!.message).toContain("was broken off");
      if (error !== undefined || mode === "auto") expect(await answer(replay, flow("a", "a"))).toBe("a".repeat(4000));
      await replay.close();
      const { tape: next } = await open(path, { mode: "auto" });
      expect(next.unused.map(({ url }) => url).includes("https://shop.test/d")).toBe(there);
      await next.close();
      if (there) expect((await readTape(path)).entries.map(({ url }) => url)).toContain("https://shop.test/d");

      // The next recording puts everything in order.
      await record(path, [flow("a", "a")]);
      expect(Object.keys(await contents(folder.path))).toHaveLength(3);
      if (store.steps <= step) break;
    }
    expect(outcomes).toContain("old");
    expect(outcomes.length).toBeGreaterThan(5);
    expect(outcomes.lastIndexOf("old")).toBeLessThan(outcomes.indexOf("new"));
  }, 60_000);
});

test("a file that cannot be written to its end is not there", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await writeFile(path, "old");
  const pieces = function* () {
    yield "x".repeat(3_000_000);
    throw new Error("no space left on device");
  };
  await expect(fileStore.write(path, pieces())).rejects.toThrow("no space left on device");
  expect(await contents(folder.path)).toEqual({ "a.har": "old" });
});

test("a tape that cannot be written: the error names it, and what was recorded waits beside it", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const store: TapeStore = {
    ...fileStore,
    write: (file, pieces) => file === path ? Promise.reject(new Error("EROFS")) : fileStore.write(file, pieces),
  };
  const { tape } = await open(path, { mode: "record" }, store);
  tape.record(flowOf(flow("a", "a")));
  await expect(tape.close()).rejects.toMatchObject({ name: "TapeError", code: "TAPE_NOT_WRITTEN" });
  await expect(tape.close()).rejects.toThrow(
    `${path} could not be written: EROFS. The old tape is as it was. What was recorded is in ${path}.d/.journal-`,
  );
  expect(await readdir(folder.path)).toEqual(["a.har.d"]);
  const { tape: next, log } = await open(path, { mode: "auto" });
  expect(log).toMatchObject([{ level: "warn", message: expect.stringContaining("the tape has now 1 exchange of it") }]);
  expect(await answer(next, flow("a", "a"))).toBe("a".repeat(4000));
  await next.close();
  expect(await readdir(`${path}.d`)).toHaveLength(2);
});

test("a journal that cannot be written: recording stops with a line in the log, and what was recorded until then waits", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [flow("a", "a")]);
  const before = await contents(folder.path);
  let lines = 0;
  const store: TapeStore = {
    ...fileStore,
    async append(name) {
      const file = await fileStore.append(name);
      return {
        append(text) {
          if (++lines > 2) throw new Error("ENOSPC: no space left on device");
          file.append(text);
        },
        read: (position, length) => file.read(position, length),
        close: () => file.close(),
      };
    },
  };
  const { tape, log } = await open(path, { mode: "record" }, store);
  for (const name of ["b", "c", "d"]) {
    tape.record(flowOf(flow(name, name)));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(log).toEqual([{
    level: "error",
    message: `recording on ${path} has stopped: ENOSPC: no space left on device`,
  }]);
  await expect(tape.close()).rejects.toThrow("What was recorded until then is in ");
  expect(await contents(folder.path)).toMatchObject(before);
  const next = await open(path, { mode: "auto" });
  await next.tape.close();
  expect((await readTape(path)).entries.map(({ url }) => url)).toEqual([flow("a", "a").url, flow("b", "b").url]);
});

test("files of others in the folder of bodies stay; leftovers of a process that died go", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [flow("a", "a")]);
  await writeFile(`${path}.d/README.md`, "mine");
  const left = `${path}.d/.0123456789abcdef.txt.77-1-01234567.tmp`;
  await writeFile(left, "half");
  await utimes(left, 1000, 1000);
  const young = `${path}.d/.0123456789abcdef.txt.78-1-01234567.tmp`;
  await writeFile(young, "somebody may be writing this");
  await record(path, [{ response: { body: "small" } }]);
  expect((await readdir(`${path}.d`)).sort()).toEqual([basename(young), "README.md"].sort());
});
