/**
 * The journals beside a tape: of recordings that are under way, that have ended while others were, and that were broken off.
 *
 * @module
 */
import { fateOf, thisProcess } from "../store/owner.ts";
import type { TapeStore } from "../store/tape_store.ts";
import { type FoundJournal, type JournalHead, journalsAmong, readJournal } from "./journal.ts";
import { recordingsHere } from "./live.ts";

/** What is beside a tape. */
export interface Journals {
  /** Recordings that are over, by the moment at which they began. */
  readonly over: readonly FoundJournal[];
  /** The files of these, and of what is no journal any more. */
  readonly files: readonly string[];
  /** How many recordings are under way. */
  readonly live: number;
}

const NONE: Journals = { over: [], files: [], live: 0 };

/** After so many milliseconds a recording of another machine is over, if nobody has said that it is not. */
const FORGOTTEN = 60 * 60 * 1000;

/**
 * Reads the journals in the folder of a tape.
 *
 * @param except the name of one that does not count
 */
export async function findJournals(
  store: TapeStore,
  folder: string,
  { except }: { except?: string } = {},
): Promise<Journals> {
  const names = await store.list(folder);
  if (names === undefined) return NONE;
  const found = journalsAmong([...names].flatMap(([name, kind]) => kind === "file" ? [name] : []));
  if (except !== undefined) found.delete(except);
  const over: FoundJournal[] = [];
  const files: string[] = [];
  let live = 0;
  for (const [name, parts] of found) {
    if (recordingsHere().has(name)) {
      live++;
      continue;
    }
    const journal = await readJournal(store, folder, parts, names);
    if (journal !== undefined && !journal.done && await isLive(journal)) {
      live++;
      continue;
    }
    if (journal !== undefined) over.push(journal);
    files.push(...parts);
  }
  over.sort((a, b) => a.began - b.began);
  return { over, files, live };
}

async function isLive({ owner, began }: JournalHead): Promise<boolean> {
  const self = await thisProcess();
  // One of ours would be known.
  if (owner.pid === self.pid && owner.start === self.start && owner.host === self.host && self.host !== "") {
    return false;
  }
  const fate = await fateOf(owner);
  return fate === "unknown" ? Date.now() - began < FORGOTTEN : fate === "alive";
}
