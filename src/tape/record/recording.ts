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
import { type Kept, learnSame } from "./kept.ts";
import { readersOf, recordingsHere } from "./live.ts";
import { locked } from "./locked.ts";
import { readOld } from "./old_tape.ts";
import { tellOf, withJournal } from "./recover.ts";
import { renumbered } from "./renumber.ts";

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
  /** How far the numbers of secrets went on the tape when it was opened. */
  readonly known?: Readonly<Record<string, number>> | undefined;
  /** The tape as it was then. */
  readonly stamp?: string | undefined;
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
    const { path, store, keep, known } = options;
    const journal = await Journal.begin(store, bodyFolder(path), { keep, known });
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

  /** Ends it, and leaves the journal for the next start. */
  async leave(): Promise<void> {
    recordingsHere().delete(this.#journal.name);
    await this.#journal.close().catch(() => {});
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
    const bodies = { path, store, keepBody: writer.keepAs.bind(writer) };
    const done = over.filter(({ done }) => done);
    // Others may have given the same numbers to other secrets.
    const alone = done.length === 0 && (keep === "replace" || old.stamp === this.#with.stamp);
    const numbered = (items: readonly Kept[], { told, known }: Story) =>
      alone ? Promise.resolve(told) : renumbered(items, told, { ...bodies, ...(known && { known }) });

    let items: Kept[] = keep === "add" ? old.items : [];
    const own = { told: this.#journal.items as readonly Kept[], known: this.#with.known };
    const anew = (await numbered(items, own)).filter(({ anew }) => anew);
    if (anew.length > 0) items = await putAnew(items, anew, await this.#with.replaced?.(items) ?? new Set());
    // In an order that does not depend on who was quicker.
    const stories = await inOneOrder([own, ...done.map(({ items, known }) => ({ told: items, known }))]);
    if (keep === "add" && stories.length > 1) {
      for (const story of stories) items = await without(items, await numbered(items, story));
    }
    if (keep === "replace" && stories.length === 1) items = await likeBefore(stories[0]!.told, old.items);
    else for (const story of stories) items = await weave(items, await numbered(items, story));
    for (const journal of over.filter(({ done, items }) => !done && items.length > 0)) {
      items = await withJournal(items, journal, bodies);
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
      const journals = [...this.#journal.files, ...files];
      const stale = readersOf(identity) > 0 ? [] : await writer.stale(journals);
      await store.remove(folder, [...journals, ...stale]);
    } catch {
      // As above.
    }
  }
}

/** What one recording has. */
interface Story {
  readonly told: readonly Kept[];
  readonly known?: Readonly<Record<string, number>> | undefined;
}

/** The stories, sorted by what they tell; what was recorded anew has its place already. */
async function inOneOrder(stories: readonly Story[]): Promise<Story[]> {
  const plain = stories.map(({ told, known }) => ({ told: inOrder(told.filter(({ anew }) => !anew)), known }));
  // Two may tell of the same requests and other answers.
  if (plain.length > 1) { for (const { told } of plain) await learnSame(told); }
  return plain.sort((a, b) => compareStories(a.told, b.told));
}

function compareStories(a: readonly Kept[], b: readonly Kept[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    for (const part of ["label", "key"] as const) {
      if (a[i]![part] !== b[i]![part]) return a[i]![part] < b[i]![part] ? -1 : 1;
    }
  }
  const sameOf = (story: readonly Kept[]) => story.map(({ same = "" }) => same).join();
  return a.length - b.length || (sameOf(a) < sameOf(b) ? -1 : 1);
}
