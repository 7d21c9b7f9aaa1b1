// Disks that are full, and folders that nobody may write to.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { startProxy, TapeError } from "../../src/mod.ts";
import { readTape } from "../../src/tape/mod.ts";
import { fileStore } from "../../src/tape/store/file_store.ts";
import type { TapeStore } from "../../src/tape/store/tape_store.ts";
import { startOrigin } from "../support/origin.ts";
import { run } from "../support/run.ts";
import { type TempFolder, tempFolder } from "../support/temp.ts";
import { flowOf, open, record } from "./tapes.ts";

let folder: TempFolder;
let path: string;
beforeEach(async () => {
  folder = await tempFolder();
  path = folder.file("a.har");
});
afterEach(() => folder[Symbol.asyncDispose]());

const full = () => Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
const flow = (name: string, size = 1) =>
  flowOf({ url: `https://shop.test/${name}`, response: { body: name.repeat(size) } });
const tick = () => new Promise((resolve) => setTimeout(resolve, 20));

/** A disk that takes no more when it is told so. */
function disk(): TapeStore & { full: boolean } {
  const store = {
    ...fileStore,
    full: false,
    write: (...args: Parameters<TapeStore["write"]>) => store.full ? Promise.reject(full()) : fileStore.write(...args),
    now: {
      read: (path: string) => fileStore.now.read(path),
      write(path: string, bytes: Uint8Array) {
        if (store.full) throw full();
        fileStore.now.write(path, bytes);
      },
    },
    async append(path: string) {
      if (store.full) throw full();
      const file = await fileStore.append(path);
      return {
        append(text: string) {
          // A part of it may be there.
          if (store.full) file.append(text.slice(0, 20));
          if (store.full) throw full();
          file.append(text);
        },
        read: (position: number, length: number) => file.read(position, length),
        close: () => file.close(),
      };
    },
  };
  return store;
}

describe.each(["record", "auto"] as const)("a disk that is full, mode %s", (mode) => {
  const paths = async () => (await readTape(path)).entries.map(({ url }) => new URL(url).pathname);

  async function recover(): Promise<string[]> {
    const { tape } = await open(path, { mode: "auto" });
    await tape.close();
    return await paths();
  }

  test.each([["in the journal", 1], ["in a body", 5000]])("%s: what was recorded before is kept", async (_, size) => {
    await record(path, [{ url: "https://shop.test/old", response: { body: "old" } }]);
    const before = await readFile(path, "utf8");
    const store = disk();
    const { tape, log } = await open(path, { mode }, store);
    tape.record(flow("one", 5000));
    tape.record(flow("two"));
    await tick();
    store.full = true;
    tape.record(flow("three", size));
    await tick();
    tape.record(flow("four"));
    const error = await tape.close().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(TapeError);
    expect(error).toMatchObject({ code: "TAPE_NOT_WRITTEN" });
    const { message } = error as Error;
    expect(message).toContain("the disk is full; make room and run again (ENOSPC: no space left");
    expect(message).toContain("The old tape is as it was. What was recorded until then is in ");
    const errors = log.filter(({ level }) => level === "error").map(({ message }) => message);
    expect(errors).toEqual([expect.stringMatching(/^recording .*has stopped: .*the disk is full; make room/)]);
    expect(await readFile(path, "utf8")).toBe(before);
    expect(await recover()).toEqual(["/old", "/one", "/two"]);
    expect((await readdir(`${path}.d`)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("when the proxy is closed: all that was recorded is kept", async () => {
    await record(path, [{ url: "https://shop.test/old", response: { body: "old" } }]);
    const before = await readFile(path, "utf8");
    const store = disk();
    const { tape } = await open(path, { mode }, store);
    tape.record(flow("one", 5000));
    await tick();
    store.full = true;
    await expect(tape.close()).rejects.toThrow(/the disk is full.*What was recorded is in /);
    expect(await readFile(path, "utf8")).toBe(before);
    expect(await recover()).toEqual(["/old", "/one"]);
  });

  test("from the start: nothing is left behind", async () => {
    const store = disk();
    store.full = true;
    const { tape } = await open(path, { mode }, store);
    tape.record(flow("one"));
    await expect(tape.close()).rejects.toThrow("the disk is full; make room");
    expect(await readdir(folder.path)).toEqual([]);
  });
});

test("traffic goes on while the disk is full; closing says what happened", async () => {
  await using origin = await startOrigin(({ target }) => ({ body: target }));
  const store = disk();
  store.full = true;
  const proxy = await startProxy({ tape: { path, mode: "record", store } });
  for (const name of ["a", "b"]) expect(await (await proxy.fetch(`${origin.url}/${name}`)).text()).toBe(`/${name}`);
  await expect(proxy.close()).rejects.toMatchObject({ code: "TAPE_NOT_WRITTEN" });
});

test("a folder that is a file", async () => {
  await writeFile(folder.file("fixtures"), "");
  const { tape } = await open(folder.file("fixtures", "a.har"), { mode: "record" });
  tape.record(flow("one"));
  await expect(tape.close()).rejects.toThrow("could not be written: a part of the path is a file, and no folder");
});

/** Why no file system can be made here; the tests with a store that is full show the same everywhere. */
function whyNoMount(): string | undefined {
  if (process.platform !== "linux") return "only Linux has tmpfs";
  if (process.getuid?.() !== 0) return "only root may mount";
  const path = mkdtempSync(join(tmpdir(), "flowtape-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path], { stdio: "pipe" });
    execFileSync("umount", ["-l", path], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    return `mounting is not allowed: ${error}`;
  } finally {
    rmdirSync(path);
  }
}

const skipped = whyNoMount();
if (skipped !== undefined) console.warn(`skipped, file systems that are full or read-only: ${skipped}`);

describe.skipIf(skipped !== undefined)("file systems", () => {
  async function mounted(): Promise<AsyncDisposable & { path: string; readOnly(): Promise<void> }> {
    const path = folder.file("mounted");
    await mkdir(path, { recursive: true });
    const options = { env: process.env as Record<string, string>, timeoutMs: 10_000 };
    const ran = (...args: [string, ...string[]]) =>
      run(args[0], args.slice(1), options).then(({ code }) => code === 0, () => false);
    expect(await ran("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path)).toBe(true);
    return {
      path,
      readOnly: async () => void await ran("mount", "-o", "remount,ro", path),
      [Symbol.asyncDispose]: async () => void await ran("umount", "-l", path),
    };
  }

  test("of 64 KiB: the old tape stays", async () => {
    await using small = await mounted();
    const path = join(small.path, "a.har");
    await record(path, [{ url: "https://shop.test/old", response: { body: "old" } }]);
    const before = await readFile(path, "utf8");
    const filler = join(small.path, "filler");
    for (const mode of ["record", "auto"] as const) {
      await writeFile(filler, "x".repeat(16_384));
      const { tape } = await open(path, { mode });
      for (let i = 0; i < 60; i++) {
        tape.record(flow(`${mode}${i}`, i % 3 === 0 ? 500 : 1));
        if (i % 10 === 0) await tick();
      }
      await expect(tape.close()).rejects.toThrow("the disk is full; make room and run again");
      expect(await readFile(path, "utf8")).toBe(before);
      // A journal, and no room for anything: replaying works.
      await (await open(path, { mode: "replay" })).tape.close();
      await rm(filler);
      await rm(`${path}.d`, { recursive: true });
    }
  }, 20_000);

  test("that is read-only: replaying works, recording says why not", async () => {
    await using small = await mounted();
    const path = join(small.path, "a.har");
    await record(path, [{ url: "https://shop.test/old", response: { body: "old" } }]);
    await small.readOnly();
    for (const mode of ["replay", "auto"] as const) {
      const { tape } = await open(path, { mode });
      await tape.close();
    }
    for (const mode of ["record", "auto"] as const) {
      const { tape } = await open(path, { mode });
      tape.record(flow("one"));
      await expect(tape.close()).rejects.toThrow("the file system is read-only; record where files can be written");
    }
    expect(await readdir(small.path)).toEqual(["a.har"]);
  }, 20_000);
});
