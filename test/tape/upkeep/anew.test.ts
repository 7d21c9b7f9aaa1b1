// Entries that are recorded anew, in the places of the old ones.
import { expect, test } from "vitest";
import type { HarEntry } from "../../../src/tape/har.ts";
import type { FoundJournal } from "../../../src/tape/record/journal.ts";
import type { Kept } from "../../../src/tape/record/kept.ts";
import { fileStore } from "../../../src/tape/store/file_store.ts";
import { withJournal } from "../../../src/tape/record/recover.ts";
import { putAnew } from "../../../src/tape/upkeep/anew.ts";

/** An exchange by what was asked for and what was answered: "a1". */
function kept(name: string, start = 0, anew = false): Kept & { name: string } {
  const [url, body] = [name[0]!, name.slice(1)];
  const entry = {
    request: { method: "GET", url, headers: [] },
    response: { headers: [], content: { text: body } },
  } as unknown as HarEntry;
  const load = () => Promise.resolve(entry);
  return { name, label: url, key: url, start, end: start, ...(anew && { anew }), load };
}

const story = (names: string) =>
  names.split(" ").filter((name) => name !== "").map((name, i) => kept(name, i + 1, true));
const shown = (items: readonly Kept[]) => items.map((item) => (item as ReturnType<typeof kept>).name).join(" ");

test.each([
  ["nothing", "a1 b1 c1", "", "", "a1 b1 c1"],
  ["one", "a1 b1 c1", "b", "b2", "a1 b2 c1"],
  ["several of one request", "a1 b1 c1 b2", "b", "b3 b4", "a1 b3 c1 b4"],
  ["fewer than before", "a1 b1 c1 b2", "b", "b3", "a1 b3 c1"],
  ["more than before", "a1 b1 c1", "b", "b3 b4", "a1 b3 b4 c1"],
  ["another before it", "a1 b1 c1", "bd", "d1 b2", "a1 d1 b2 c1"],
  ["another behind it", "a1 b1 c1", "bd", "b2 d1", "a1 b2 d1 c1"],
  ["only what was not there", "a1 c1", "d", "d1", "a1 c1 d1"],
  ["all", "a1 b1", "ab", "b2 a2", "a2 b2"],
])("%s: %s, of which %s by %s, is %s", async (_what, before, replaced, anew, expected) => {
  const items = before.split(" ").map((name) => kept(name));
  const gone = new Set(items.filter(({ key }) => replaced.includes(key)));
  expect(shown(await putAnew(items, story(anew), gone))).toBe(expected);
});

test("what is the same stays the one that was there", async () => {
  const items = ["a1", "b1"].map((name) => kept(name));
  const result = await putAnew(items, story("b1"), new Set([items[1]!]));
  expect(result[1]).toBe(items[1]);
});

test("a recording that was broken off is recovered in the same way", async () => {
  const items = ["a1", "b1", "c1"].map((name) => kept(name));
  const owner = { pid: 1, start: "", host: "" } as unknown as FoundJournal["owner"];
  const journal: FoundJournal = {
    keep: "add",
    owner,
    began: 0,
    done: false,
    items: [kept("d1", 1), kept("b2", 2, true)],
  };
  const names = shown(await withJournal(items, journal, { path: "a.har", store: fileStore })).split(" ");
  expect(names.filter((name) => name !== "d1")).toEqual(["a1", "b2", "c1"]);
  expect(names).toContain("d1");
});
