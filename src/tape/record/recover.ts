/**
 * Puts what a recording has left behind, which did not come to its end, onto the tape.
 *
 * @module
 */
import type { LogEntry } from "../../hooks/addon.ts";
import { bodyFolder } from "../har.ts";
import type { TapeStore } from "../store/tape_store.ts";
import type { TapeWriter } from "../writer.ts";
import { byKey, inOrder, weave } from "./arrange.ts";
import { findJournals } from "./found.ts";
import type { FoundJournal } from "./journal.ts";
import type { Kept } from "./kept.ts";
import { locked } from "./locked.ts";
import { readOld } from "./old_tape.ts";
import { renumbered, type RenumberOptions } from "./renumber.ts";

/** The entries of a tape with those of a journal. What was recorded anew takes the place of what was there. */
export async function withJournal(
  items: readonly Kept[],
  journal: FoundJournal,
  options: RenumberOptions,
): Promise<Kept[]> {
  const { known } = journal;
  const story = await renumbered(items, journal.items, { ...options, ...(known && { known }) });
  if (journal.keep === "replace" && !journal.done) return inPlace(items, inOrder(story));
  const added = await weave(items, inOrder(story.filter(({ anew }) => !anew)));
  return inPlace(added, inOrder(story.filter(({ anew }) => anew)));
}

function inPlace(items: readonly Kept[], story: readonly Kept[]): Kept[] {
  const anew = byKey(story);
  const kept: Kept[] = [];
  for (const item of items) {
    const replaced = anew.get(item.key);
    if (replaced === undefined) kept.push(item);
    // In the place of the first.
    else kept.push(...replaced.splice(0));
  }
  return [...kept, ...story.filter((item) => anew.get(item.key)!.includes(item))];
}

/** Says that a journal was found. */
export function tellOf({ items, owner }: FoundJournal, path: string, what: string): string {
  const exchanges = items.length === 1 ? "1 exchange" : `${items.length} exchanges`;
  return `${path}: a recording of process ${owner.pid} was broken off; ${what} ${exchanges} of it`;
}

/** Puts the journals of recordings that were broken off onto the tape, and removes them. */
export async function recoverAll(
  path: string,
  store: TapeStore,
  writer: () => TapeWriter,
  log: (entry: LogEntry) => void,
): Promise<void> {
  const folder = bodyFolder(path);
  await store.sweep?.(folder);
  if (!await hasLeftovers(store, folder)) return;
  await locked(store, path, async () => {
    const { over, files, live } = await findJournals(store, folder);
    // Those that are under way have a use for those that have ended.
    if (live > 0) return;
    const whole = over.filter(({ items }) => items.length > 0);
    if (whole.length > 0) {
      const old = await readOld(path, store);
      const writing = writer();
      const keepBody = writing.keepAs.bind(writing);
      let items: readonly Kept[] = old.items;
      for (const journal of whole) items = await withJournal(items, journal, { path, store, keepBody });
      await writing.finish(old.log, items);
      for (const journal of whole) {
        if (!journal.done) log({ level: "warn", message: tellOf(journal, path, "the tape has now") });
      }
    }
    await store.remove(folder, files);
  });
}

/** The journals of recordings that were broken off. */
export async function brokenOff(path: string, store: TapeStore): Promise<FoundJournal[]> {
  const folder = bodyFolder(path);
  if (!await hasLeftovers(store, folder)) return [];
  const { over } = await findJournals(store, folder);
  return over.filter(({ done, items }) => !done && items.length > 0);
}

/** What only a recording has: one that is under way, or that was broken off. */
async function hasLeftovers(store: TapeStore, folder: string): Promise<boolean> {
  const names = await store.list(folder);
  return names !== undefined && [...names.keys()].some((name) => LEFTOVER.test(name));
}

const LEFTOVER = /^\.journal-|^\.lock$/;
