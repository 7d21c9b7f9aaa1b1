import { readdir, readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
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

/** Does what the store of files does, until the given step; from then on everything fails, as when a process dies. */
function dyingAt(step: number): TapeStore & { steps: number } {
  const store = {
    steps: 0,
    read: (path: string) => alive(() => fileStore.read(path)),
    list: (folder: string) => alive(() => fileStore.list(folder)),
    write: (path: string, pieces: Iterable<string | Uint8Array>) => alive(() => fileStore.write(path, pieces)),
    remove: (folder: string, names: readonly string[]) => alive(() => fileStore.remove(folder, names)),
  };
  const alive = <T>(action: () => Promise<T>): Promise<T> =>
    ++store.steps > step ? Promise.reject(new Error("no space left on device")) : action();
  return store;
}

test.each(["record", "auto"] as const)(
  "whenever writing ends early in mode %s, the tape is the old one or the new one",
  async (mode) => {
    const outcomes: string[] = [];
    for (let step = 2;; step++) {
      await using folder = await tempFolder();
      const path = folder.file("a.har");
      await record(path, [flow("a", "a"), flow("b", "b")]);
      const before = await contents(folder.path);
      const store = dyingAt(step);
      const { tape } = await open(path, { mode }, store);
      tape.record(flowOf(flow("b", "c")));
      tape.record(flowOf(flow("d", "d")));
      const error = await tape.close().then(() => undefined, (error: unknown) => error);
      const after = await contents(folder.path);

      for (const [name, bytes] of Object.entries(before)) if (error !== undefined) expect(after[name]).toBe(bytes);
      if (error !== undefined) {
        expect(error).toMatchObject({
          message: expect.stringContaining("no space left on device"),
        });
      }
      const { tape: replay } = await open(path, { mode: "replay" });
      const old = await answer(replay, flow("d", "d")) !== "d".repeat(4000);
      expect(old).toBe(error !== undefined);
      if (old || mode === "auto") {
        expect(await answer(replay, flow("a", "a"))).toBe(
          "a".repeat(4000),
        );
      }
      await replay.close();
      outcomes.push(old ? "old" : "new");

      // The next recording puts everything in order.
      await record(path, [flow("a", "a")]);
      expect(Object.keys(await contents(folder.path))).toHaveLength(3);
      if (store.steps <= step) break;
    }
    expect(outcomes).toContain("old");
    expect(outcomes.length).toBeGreaterThan(5);
    expect(outcomes.lastIndexOf("old")).toBeLessThan(outcomes.indexOf("new"));
  },
);

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

test("a recording that fails leaves no bodies behind, and names the tape", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  const store: TapeStore = {
    ...fileStore,
    write: (file, pieces) => file === path ? Promise.reject(new Error("EROFS")) : fileStore.write(file, pieces),
  };
  const { tape } = await open(path, { mode: "record" }, store);
  tape.record(flowOf(flow("a", "a")));
  await expect(tape.close()).rejects.toMatchObject({ name: "TapeError", code: "TAPE_NOT_WRITTEN" });
  await expect(tape.close()).rejects.toThrow(`${path} could not be written: EROFS. The old tape is as it was.`);
  expect(await readdir(folder.path)).toEqual([]);
});

test("files of others in the folder of bodies stay; leftovers of a process that died go", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  await record(path, [flow("a", "a")]);
  await writeFile(`${path}.d/README.md`, "mine");
  await writeFile(`${path}.d/.0123456789abcdef.txt.77-1.tmp`, "half");
  await record(path, [{ response: { body: "small" } }]);
  expect(await readdir(`${path}.d`)).toEqual(["README.md"]);
});
