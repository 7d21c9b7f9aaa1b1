import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { type EncodedExchange, Journal, type NewLine, readJournal } from "../../../src/tape/record/journal.ts";
import { fileStore } from "../../../src/tape/store/file_store.ts";
import type { TapeStore } from "../../../src/tape/store/tape_store.ts";
import { tempFolder } from "../../support/temp.ts";

function exchange(name: string): EncodedExchange {
  const json = JSON.stringify({
    request: { method: "GET", url: `https://shop.test/${name}` },
    response: { status: 200 },
  });
  return { label: name, key: name, json, bytes: new TextEncoder().encode(json).length };
}

const line = (exchange: EncodedExchange, start: number): NewLine => ({
  exchange,
  moments: { start, end: start + 1 },
  anew: false,
});

const urls = (entries: readonly unknown[]) =>
  entries.map((entry) => (entry as { request: { url: string } }).request.url);

/** The store of files, without what only it can do. */
const wholeFiles: TapeStore = {
  read: (path) => fileStore.read(path),
  write: (path, pieces) => fileStore.write(path, pieces),
  list: (folder) => fileStore.list(folder),
  remove: (folder, names) => fileStore.remove(folder, names),
};

test.each([["that grows", fileStore], ["of many files", wholeFiles]])(
  "a journal %s: what comes again is there again, while it is written and for who finds it",
  async (_, store) => {
    await using folder = await tempFolder();
    const journal = await Journal.begin(store, folder.path, { keep: "add" });
    const [a, b] = [exchange("a\u00e9"), exchange("b")];
    await journal.append([line(a, 1), line(b, 2), line(a, 3)]);
    await journal.append([line(b, 4), line(a, 5)]);
    const expected = ["a\u00e9", "b", "a\u00e9", "b", "a\u00e9"].map((name) => `https://shop.test/${name}`);
    expect(urls(await Promise.all(journal.items.map((item) => item.load())))).toEqual(expected);
    await journal.close();

    const found = await readJournal(store, folder.path, journal.files, new Set<string>());
    expect(urls(await Promise.all(found!.items.map((item) => item.load())))).toEqual(expected);
    expect(found!.items.map(({ start }) => start)).toEqual([1, 2, 3, 4, 5]);
  },
);

test("an exchange that comes again takes a short line; one whose first line was cut off is lost with it", async () => {
  await using folder = await tempFolder();
  const journal = await Journal.begin(fileStore, folder.path, { keep: "add" });
  const body = {
    ...exchange("a"),
    json: `{"request":{"method":"GET","url":"u","postData":{"_file":"gone.txt"}},"response":{}}`,
  };
  const a = { ...body, bytes: body.json.length };
  await journal.append([line(a, 1), line(exchange("b"), 2), line(a, 3)]);
  await journal.close();
  const text = await readFile(folder.file(journal.files[0]!), "utf8");
  expect(text.split("\n")[3]).toBe('{"start":3,"end":4,"like":0}');
  const found = await readJournal(fileStore, folder.path, journal.files, new Set<string>());
  expect(urls(await Promise.all(found!.items.map((item) => item.load())))).toEqual(["https://shop.test/b"]);
});
