/**
 * A recording from its first exchange to the finished tape: a journal while it is under way; at its end, the tape that was there and all
 * recordings that were under way at the same time become one tape.
 *
 * @module
 */
import { join } from "node:path";
import type { LogEntry } from "../../hooks/addon.ts";
import { bodyFolder, emptyLog } from "../har.ts";
import type { TapeStore } from "../store/tape_store.ts";
import { putAnew } from "../upkeep/anew.ts";
import { checkBudget } from "../upkeep/budget.ts";
import type { TapeWriter } from "../writer.ts";
import { inOrder, likeBefore, weave, without } from "./arrange.ts";
import { findJournals } from "./found.ts";
import { Journal, type Keep } from "./journal.ts";
import type { Kept } from "./kept.ts";
import { readersOf, recordingsHere } from "./live.ts";
import { locked } from "./locked.ts";
import { readOld } from "./old_tape.ts";
import { tellOf, withJournal } from "./recover.ts";

/** What a recording works with. */
export interface RecordingOptions {
  readonly path: string;
  readonly keep: Keep;
  readonly store: TapeStore;
  readonly writer: TapeWriter;
  /** The entries of the tape in whose places something was recorded anew. */
  replaced?(items: readonly Kept[]): Promise<ReadonlySet<Kept>>;
  /** How many bytes the tape may have. */
  readonly maxBytes?: number | undefined;
  /** The day of the recording, where the tape is to have it. */
  readonly day?: string | undefined;
  log(entry: LogEntry): void;
}

/** One recording of one proxy. */
export class Recording {
  readonly #with: RecordingOptions;
  readonly #journal: Journal;

  private constructor(options: RecordingOptions, journal: Journal) {
    this.#with = options;
    this.#journal = journal;
  }

  /** Begins one: others can see it from now on. Nothing waits here but for the store. */
  static async begin(options: RecordingOptions): Promise<Recording> {
    const { path, store, keep } = options;
    const journal = await Journal.begin(store, bodyFolder(path), keep);
    recordingsHere().add(journal.name);
    return new Recording(options, journal);
  }

  /** How many exchanges it has. */
  get size(): number {
    return this.#journal.items.length;
  }

  /** Where the journal is, for messages. */
  get place(): string {
    return join(bodyFolder(this.#with.path), this.#journal.files[0]!);
  }

  /** Where exchanges are kept. */
  get journal(): Journal {
    return this.#journal;
  }

  /** Puts it on the tape. When that fails the old tape is as it was, and the journal is left for the next start. */
  async finish(): Promise<void> {
    const { path, store } = this.#with;
    try {
      await locked(store, path, (identity) => this.#finish(identity));
    } finally {
      recordingsHere().delete(this.#journal.name);
      await this.#journal.close();
    }
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    const { store, path } = this.#with;
    recordingsHere().delete(this.#journal.name);
    await this.#journal.close().catch(() => {});
    await store.remove(bodyFolder(path), this.#journal.files).catch(() => {});
  }

  async #finish(identity: string): Promise<void> {
    const { path, store, keep, writer, maxBytes, day } = this.#with;
    const folder = bodyFolder(path);
    const { over, live, files } = await findJournals(store, folder, { except: this.#journal.name });
    const old = await readOld(path, store);
    // In an order that does not depend on who was quicker.
    const anew = this.#journal.items.filter(({ anew }) => anew);
    const stories = [
      this.#journal.items.filter(({ anew }) => !anew),
      ...over.filter(({ done }) => done).map(({ items }) => items),
    ]
      .map(inOrder)
      .sort((a, b) => compareStories(a, b));
    let items: Kept[];
    if (keep === "add") {
      items = old.items;
      if (anew.length > 0) items = await putAnew(items, anew, await this.#with.replaced?.(items) ?? new Set());
      if (stories.length > 1) { for (const story of stories) items = await without(items, story); }
      for (const story of stories) items = await weave(items, story);
    } else if (stories.length > 1) {
      items = [];
      for (const story of stories) items = await weave(items, story);
    } else {
      items = await likeBefore(stories[0]!, old.items);
    }
    for (const journal of over.filter(({ done, items }) => !done && items.length > 0)) {
      items = await withJournal(items, journal);
      this.#with.log({ level: "warn", message: tellOf(journal, path, "the tape has now") });
    }

    const dated = { ...emptyLog(), ...(day !== undefined && { _recorded: day }) };
    // Of all that is on a tape, the day is that of the oldest.
    const log = keep === "add" && old.items.length > 0 ? old.log : dated;
    if (maxBytes !== undefined) await checkBudget({ path, store, log, items }, maxBytes);
    await writer.finish(log, items);
    // The tape is complete: what is left to do may fail, and is done by the next one.
    try {
      if (live > 0) return await this.#journal.done();
      await this.#journal.close();
      const stale = readersOf(identity) > 0 ? [] : await writer.stale();
      await store.remove(folder, [...this.#journal.files, ...files, ...stale]);
    } catch {
      // As above.
    }
  }
}

function compareStories(a: readonly Kept[], b: readonly Kept[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i]!.label !== b[i]!.label) return a[i]!.label < b[i]!.label ? -1 : 1;
    if (a[i]!.key !== b[i]!.key) return a[i]!.key < b[i]!.key ? -1 : 1;
  }
  return a.length - b.length;
}
