/**
 * Recordings that end while others begin: no body that somebody refers to is removed.
 */
import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { readTape } from "../../../src/tape/mod.ts";
import { fileStore } from "../../../src/tape/store/file_store.ts";
import { tempFolder } from "../../support/temp.ts";
import { flowOf, open } from "../tapes.ts";

const large = (name: string) => flowOf({ url: `https://shop.test/${name}`, response: { body: name.repeat(5000) } });

async function bodiesOf(path: string): Promise<string[]> {
  const files = await readdir(`${path}.d`).catch(() => []);
  return files.filter((name) => !name.startsWith("."));
}

test("a tape that is being finished leaves the body alone that a recording which began meanwhile has written", async () => {
  await using folder = await tempFolder();
  const path = folder.file("a.har");
  let meanwhile = () => Promise.resolve();
  const first = await open(path, { mode: "record" }, {
    ...fileStore,
    async write(name, ...rest) {
      await fileStore.write(name, ...rest);
      if (name === path) await meanwhile();
    },
  });
  // As in another process: nobody here knows that it reads this tape.
  const elsewhere = { ...fileStore, identity: (name: string) => Promise.resolve(`elsewhere ${name}`) };
  const second = await open(path, { mode: "auto" }, elsewhere);
  first.tape.record(large("a"));
  meanwhile = async () => {
    second.tape.record(large("b"));
    await expect.poll(async () => (await bodiesOf(path)).length, { timeout: 10_000 }).toBe(2);
  };
  await first.tape.close();
  await second.tape.close();
  const { entries } = await readTape(path);
  const texts = await Promise.all(entries.map(async (entry) => (await entry.response())!.text()));
  expect(texts.toSorted()).toEqual(["a".repeat(5000), "b".repeat(5000)]);
  expect(await bodiesOf(path)).toHaveLength(2);
});
