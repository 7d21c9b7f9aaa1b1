/**
 * A tape in memory.
 *
 * @module
 */
import { basename, join } from "node:path";
import process from "node:process";
import { TapeError } from "../flow/error.ts";
import { FlowSet } from "../flow/flow_set.ts";
import { type ReadBody, TapeEntry } from "./entry.ts";
import { flowOfEntry } from "./flow_of_entry.ts";
import { bodyFolder, emptyLog } from "./har.ts";
import { damaged } from "./har_read.ts";
import { documentOf, type ReadDocument, readDocument } from "./load/read_document.ts";
import type { RedactOptions } from "./options.ts";
import type { LogEntry } from "../hooks/addon.ts";
import type { Kept } from "./record/kept.ts";
import { findJournals } from "./record/found.ts";
import { locked } from "./record/locked.ts";
import { readOld } from "./record/old_tape.ts";
import { brokenOff, tellOf, withJournal } from "./record/recover.ts";
import { SecretLeftError } from "./redact/gate.ts";
import { type HeldEntry, heldEntry, holdsSecret } from "./redact/held.ts";
import { secretsInEnvironment } from "./redact/options.ts";
import { Ledger } from "./redact/placeholders.ts";
import { createWritingRedactor } from "./redact/redactor.ts";
import { fileStore } from "./store/file_store.ts";
import type { TapeStore } from "./store/tape_store.ts";
import { TapeWriter } from "./writer.ts";

/** A recording. Its entries are in the order of their requests. */
export class Tape implements Iterable<TapeEntry> {
  /** The HAR file. */
  readonly path: string;
  /** The recorded exchanges. */
  readonly entries: readonly TapeEntry[];

  /** For {@linkcode readTape}. */
  constructor(path: string, entries: readonly TapeEntry[]) {
    this.path = path;
    this.entries = entries;
  }

  /**
   * The recorded exchanges as flows, which can be filtered and compared; to play them, bind them to a proxy. All bodies are read.
   *
   * @throws {TapeError} a body cannot be read
   */
  async flows(): Promise<FlowSet> {
    const flows = new FlowSet();
    for (const entry of this.entries) flows.append(await flowOfEntry(entry));
    return flows;
  }

  /** The recorded exchanges. */
  [Symbol.iterator](): Iterator<TapeEntry> {
    return this.entries[Symbol.iterator]();
  }
}

/**
 * Reads a tape: one of ours, or a HAR 1.2 file of a browser. Large bodies stay on disk until somebody asks for them.
 *
 * @example
 * ```ts
 * import { readTape } from "flowtape/tape";
 *
 * async function list(path: string) {
 *   for (const entry of await readTape(path)) console.log(`${entry} ${entry.status}`);
 * }
 * ```
 *
 * @throws {TapeError} `TAPE_NOT_FOUND`; `TAPE_DAMAGED`, `TAPE_VERSION`, `TAPE_BODY_MISSING`, `TAPE_BODY_PATH` name the
 * place in the file
 */
export async function readTape(path: string, { store = fileStore }: ReadTapeOptions = {}): Promise<Tape> {
  const tape = await loadTape(path, store);
  if (tape === undefined) {
    throw new TapeError("TAPE_NOT_FOUND", `there is no tape ${path}: record it, or correct the path`);
  }
  return tape;
}

/** Reads a tape from a store; `undefined` when there is none. */
export async function loadTape(path: string, store: TapeStore): Promise<Tape | undefined> {
  const bytes = await readBytes(path, store);
  return bytes === undefined ? undefined : await tapeOf(readDocument(bytes, path), path, store);
}

/** Reads a tape, and with it what recordings that were broken off have left behind: nothing is written. */
export async function loadWithJournals(
  path: string,
  store: TapeStore,
  log: (entry: LogEntry) => void,
): Promise<Tape | undefined> {
  const broken = await brokenOff(path, store);
  if (broken.length === 0) return await loadTape(path, store);
  let items: readonly Kept[] = (await readOld(path, store)).items;
  for (const journal of broken) {
    items = await withJournal(items, journal, { path, store });
    log({ level: "warn", message: tellOf(journal, path, "replayed with it:") });
  }
  const given = await Promise.all(items.map((item) => item.load()));
  const entries = given.map((entry) => typeof entry === "string" ? JSON.parse(entry) as unknown : entry);
  return await tapeOf(documentOf(entries, path), path, store);
}

async function tapeOf(document: ReadDocument, path: string, store: TapeStore): Promise<Tape> {
  const folder = bodyFolder(path);
  const read: ReadBody = async (name, entry) =>
    await store.read(join(folder, name)) ?? fail(missing(path, name, `log.entries[${entry.index}] (${entry})`));
  if (store.open !== undefined) read.open = (name) => store.open!(join(folder, name));
  if (store.now !== undefined) read.now = (name) => store.now!.read(join(folder, name));
  const entries = new Array<TapeEntry>(document.entries.length);
  let files: ReadonlyMap<string, "file" | "other"> | undefined;
  for (let i = 0; i < entries.length; i++) {
    for (const name of document.filesOf(i)) {
      files ??= await store.list(folder) ?? new Map();
      const kind = files.get(name);
      if (kind === undefined) throw missing(path, name, document.placeOf(i));
      if (kind !== "file") {
        const what = `${document.placeOf(i)}: ${basename(folder)}/${name} is a link or a folder, not a file`;
        throw damaged(path, what, undefined, "TAPE_BODY_PATH");
      }
    }
    entries[i] = new TapeEntry(i, document.entries[i]!, read, path);
  }
  return new Tape(path, entries);
}

/** Where a tape is read from. */
export interface ReadTapeOptions {
  /** Files on disk by default. */
  store?: TapeStore;
}

/** How a tape is written. */
export interface WriteTapeOptions {
  /** Files on disk by default. */
  store?: TapeStore;
  /** As in the options of a tape. */
  redact?: false | RedactOptions;
}

/**
 * Writes entries as a tape, in their order. The old one at that path stays whole until the new one is complete.
 *
 * @throws {TapeError} `TAPE_NOT_WRITTEN`; `TAPE_HOLDS_SECRET`: it would hold what looks like a secret
 */
export async function writeTape(
  path: string,
  entries: Iterable<TapeEntry>,
  options: WriteTapeOptions = {},
): Promise<void> {
  const ledger = new Ledger(secretsInEnvironment(options.redact || {}, process.env));
  const redactor = createWritingRedactor(options.redact, ledger);
  const { store = fileStore } = options;
  const writer = new TapeWriter(path, { redactor, times: false, store });
  const held: HeldEntry[] = [];
  const items: Pick<Kept, "load">[] = [];
  try {
    for (const entry of entries) {
      const parts = await entry.parts();
      try {
        const written = await writer.encode(parts);
        items.push({ load: () => Promise.resolve(written) });
      } catch (error) {
        if (!(error instanceof SecretLeftError)) throw error;
        held.push(await heldEntry(`log.entries[${entry.index}]`, parts, error));
      }
    }
    if (held.length > 0) throw holdsSecret(path, held);
    await locked(store, path, async () => {
      await writer.finish(emptyLog(), items);
      const { live, over } = await findJournals(store, bodyFolder(path));
      if (live + over.length === 0) await store.remove(bodyFolder(path), await writer.stale()).catch(() => {});
    });
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

async function readBytes(path: string, store: TapeStore): Promise<Uint8Array | undefined> {
  try {
    return await store.read(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TapeError("TAPE_UNREADABLE", `${path} cannot be read: ${why}`, { cause });
  }
}

function missing(path: string, name: string, place: string): TapeError {
  const file = `${basename(bodyFolder(path))}/${name}`;
  return damaged(path, `${place}: the body file ${file} is missing`, undefined, "TAPE_BODY_MISSING");
}

function fail(error: Error): never {
  throw error;
}
