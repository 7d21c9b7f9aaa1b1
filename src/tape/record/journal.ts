/**
 * The journal of a recording: a line for each exchange, written when it is over. What was recorded is there whatever happens to the
 * process; a line that was cut off does not count.
 *
 * A store that has no files which grow gets many small ones, which are one journal together.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { HarEntry } from "../har.ts";
import { isObject } from "../har_read.ts";
import { type Owner, readOwner, thisProcess } from "../store/owner.ts";
import type { GrowingFile, TapeStore } from "../store/tape_store.ts";
import { type Kept, keyOf, labelOf } from "./kept.ts";

/** Whether the entries of the tape stay, or a new tape takes its place. */
export type Keep = "add" | "replace";

/** The first line of a journal. */
export interface JournalHead {
  readonly keep: Keep;
  readonly owner: Owner;
  /** Milliseconds since 1970. */
  readonly began: number;
  /** How far the numbers of secrets went on the tape when it was opened: those below are the tape's, all others its own. */
  readonly known?: Readonly<Record<string, number>> | undefined;
}

/** A journal that is read. */
export interface FoundJournal extends JournalHead {
  readonly items: readonly Kept[];
  /** The recording has ended, and is on the tape; others that were under way at the same time want to know of it. */
  readonly done: boolean;
}

/** An exchange as it goes into a journal; it may go there more than once. */
export interface EncodedExchange {
  readonly label: string;
  readonly key: string;
  /** The entry. */
  readonly json: string;
  /** How many bytes that is. */
  readonly bytes: number;
  /** For the journal: where it stands there. */
  place?: Place;
}

/** The exchange of an entry. */
export function encoded(entry: HarEntry): EncodedExchange {
  const json = JSON.stringify(entry);
  return { label: labelOf(entry.request), key: keyOf(entry), json, bytes: Buffer.byteLength(json) };
}

/** A line that is to be written. */
export interface NewLine {
  readonly exchange: EncodedExchange;
  readonly moments: { readonly start: number; readonly end: number };
  readonly anew: boolean;
}

/** What stands in a line. */
interface Line {
  readonly start: number;
  readonly end: number;
  readonly entry?: HarEntry;
  /** In its place where it has been there before: the how manieth line of an exchange that was, from 0. */
  readonly like?: number;
  /** It takes the place of what its matcher matches on the tape. */
  readonly anew?: true;
}

/** Writes a journal. */
export class Journal {
  /** Tells it from others; the names of its files begin with it. */
  readonly name: string;
  readonly items: Kept[] = [];
  readonly #store: TapeStore;
  readonly #folder: string;
  #file: GrowingFile | undefined;
  #size = 0;
  #parts = 0;
  #lines = 0;

  private constructor(store: TapeStore, folder: string, name: string) {
    this.#store = store;
    this.#folder = folder;
    this.name = name;
  }

  /** Begins one. It is there when this resolves. */
  static async begin(
    store: TapeStore,
    folder: string,
    { keep, known }: Pick<JournalHead, "keep" | "known">,
  ): Promise<Journal> {
    const owner = await thisProcess();
    const name = `.journal-${owner.pid}-${randomBytes(6).toString("hex")}`;
    const journal = new Journal(store, folder, name);
    journal.#file = await store.append?.(join(folder, `${name}.jsonl`));
    const head: JournalHead = { keep, owner, began: Date.now(), known };
    await journal.#write(`${JSON.stringify(head)}\n`);
    return journal;
  }

  /** Adds exchanges. They are safe when this resolves, or returns. */
  append(lines: readonly NewLine[]): void | Promise<void> {
    let text = "";
    const part = this.#file === undefined ? this.#parts + 1 : 0;
    let position = part === 0 ? this.#size : 0;
    const items = lines.map((line): Kept => {
      const { moments: { start, end }, anew, exchange } = line;
      const head = `{"start":${start},"end":${end},${anew ? '"anew":true,' : ""}`;
      const number = this.#lines++;
      // In many files one might be there, and not the one that it refers to.
      const before = part === 0 ? exchange.place : undefined;
      const what = before === undefined ? `"entry":${exchange.json}}\n` : `"like":${before.line}}\n`;
      const length = head.length + (before === undefined ? exchange.bytes + 10 : what.length);
      const place = before ?? { line: number, part, position, length };
      exchange.place = place;
      text += head + what;
      position += length;
      return new WrittenItem(line, this, place);
    });
    const written = this.#write(text, position - (part === 0 ? this.#size : 0));
    if (written === undefined) this.items.push(...items);
    else return written.then(() => void this.items.push(...items));
  }

  /** The entry that stands there. */
  async read({ part, position, length }: Place): Promise<HarEntry> {
    const bytes = part === 0
      ? await this.#file!.read(position, length)
      : (await this.#store.read(join(this.#folder, this.#partName(part))))!.subarray(position, position + length);
    return (JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")) as Line).entry!;
  }

  /** Its files. */
  get files(): string[] {
    if (this.#parts === 0) return [`${this.name}.jsonl`];
    return Array.from({ length: this.#parts }, (_, i) => this.#partName(i + 1));
  }

  /** It is on the tape, and stays for others. */
  async done(): Promise<void> {
    await this.#write('{"done":true}\n');
    await this.close();
  }

  /** Nothing more is read or written. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #partName(part: number): string {
    return `${this.name}-${String(part).padStart(6, "0")}.jsonl`;
  }

  #write(text: string, bytes: number = Buffer.byteLength(text)): void | Promise<void> {
    if (this.#file === undefined) {
      this.#parts++;
      return this.#store.write(join(this.#folder, this.#partName(this.#parts)), [text]);
    }
    this.#size += bytes;
    return this.#file.append(text);
  }
}

interface Place {
  /** The how manieth line of an exchange it is, from 0. */
  readonly line: number;
  readonly part: number;
  readonly position: number;
  readonly length: number;
}

/** What stays in memory of an exchange. */
class WrittenItem implements Kept {
  readonly label: string;
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly anew: boolean;
  same?: string;
  readonly #journal: Journal;
  readonly #place: Place;

  constructor({ exchange, moments, anew }: NewLine, journal: Journal, place: Place) {
    this.label = exchange.label;
    this.key = exchange.key;
    this.start = moments.start;
    this.end = moments.end;
    this.anew = anew;
    this.#journal = journal;
    this.#place = place;
  }

  load(): Promise<HarEntry> {
    return this.#journal.read(this.#place);
  }
}

const NAME = /^(\.journal-\d+-[0-9a-f]{12})(?:-\d{6,})?\.jsonl$/;

/** The journals among the files of a folder: by name, their files in order. */
export function journalsAmong(names: Iterable<string>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const journal = NAME.exec(name)?.[1];
    if (journal === undefined) continue;
    const files = found.get(journal);
    if (files === undefined) found.set(journal, [name]);
    else files.push(name);
  }
  for (const files of found.values()) files.sort();
  return found;
}

/**
 * Reads a journal; `undefined` when not even its first line is whole, or it is gone.
 *
 * @param names what is in the folder: an exchange whose body did not get there is none
 */
export async function readJournal(
  store: TapeStore,
  folder: string,
  files: readonly string[],
  names: { has(name: string): boolean },
): Promise<FoundJournal | undefined> {
  let head: JournalHead | undefined;
  let done = false;
  const items: Kept[] = [];
  // Of every line of an exchange: others refer to it.
  const entries: (HarEntry | undefined)[] = [];
  for (const name of files) {
    const bytes = await store.read(join(folder, name));
    if (bytes === undefined) continue;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0, end: number; (end = buffer.indexOf(0x0a, at)) >= 0; at = end + 1) {
      const text = buffer.toString("utf8", at, end);
      const line = parse(text);
      if (line === undefined) break;
      if (head === undefined) {
        head = readHead(line);
        if (head === undefined) return undefined;
      } else if (line.done === true) {
        done = true;
      } else if (isLine(line)) {
        const { start, end, like } = line;
        const lost = like === undefined && Array.from(text.matchAll(FILE)).some(([, file]) => !names.has(file!));
        const entry = lost ? undefined : like === undefined ? line.entry : entries[like];
        entries.push(entry);
        if (entry === undefined) continue;
        items.push({
          label: labelOf(entry.request),
          key: keyOf(entry),
          start,
          end,
          ...(line.anew === true && { anew: true }),
          load: () => Promise.resolve(entry),
        });
      }
    }
  }
  return head && { ...head, items, done };
}

/** The files that a line refers to. Within a string the quotes would be escaped. */
const FILE = /"_file":"([^"\\]+)"/g;

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readHead({ keep, owner, began, known }: Record<string, unknown>): JournalHead | undefined {
  const who = readOwner(owner);
  return who !== undefined && (keep === "add" || keep === "replace") && typeof began === "number"
    ? { keep, owner: who, began, known: isObject(known) ? known as Record<string, number> : undefined }
    : undefined;
}

function isLine(line: Record<string, unknown>): line is Record<string, unknown> & Line {
  const { start, end, entry, like } = line;
  if (typeof start !== "number" || typeof end !== "number") return false;
  if (typeof like === "number") return true;
  if (!isObject(entry)) return false;
  const { request, response } = entry;
  return isObject(request) && typeof request.method === "string" && typeof request.url === "string" &&
    isObject(response);
}
