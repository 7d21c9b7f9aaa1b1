/**
 * Entries that nothing has asked for.
 *
 * @module
 */
import { TapeError } from "../../flow/error.ts";
import { HttpFlow } from "../../flow/http_flow.ts";
import type { TapeEntry } from "../entry.ts";
import { bodyFolder } from "../har.ts";
import type { LogEntry } from "../../hooks/addon.ts";
import type { Modes } from "../modes.ts";
import { findJournals } from "../record/found.ts";
import type { TapeOptions } from "../options.ts";
import { labelOf } from "../record/kept.ts";
import { readersOf } from "../record/live.ts";
import { locked } from "../record/locked.ts";
import { readOld } from "../record/old_tape.ts";
import type { Redactor } from "../redact/redactor.ts";
import type { TapeStore } from "../store/tape_store.ts";
import type { TapeWriter } from "../writer.ts";

/** How many entries a message names. */
const MAX_TOLD = 10;

/** What depends on the run. */
export interface UnusedContext {
  readonly policy: TapeOptions["unused"];
  /** How many entries there are. */
  readonly all: number;
  readonly modes: Modes;
  /** Whether a request matched nothing: then an entry that was not used may be the one that it should have matched. */
  readonly missed: boolean;
  readonly path: string;
  readonly store: TapeStore;
  readonly redactor: Redactor;
  readonly writer: () => TapeWriter;
  log(entry: LogEntry): void;
}

/**
 * Does what the option `unused` says about entries that nothing has asked for.
 *
 * @throws {TapeError} `TAPE_UNUSED`, `TAPE_NOT_WRITTEN`
 */
export async function dealWithUnused(given: readonly TapeEntry[], context: UnusedContext): Promise<void> {
  const { policy = "ignore", all, modes, missed, path, store, redactor, writer, log } = context;
  if (policy === "ignore") return;
  const unused = replayable(given, modes);
  if (unused.length === 0) return;
  const told = tellUnused(unused, all, path, redactor);
  const warn = (more = "") => log({ level: "warn", message: `${told}${more}`.replace(/\n\s*/g, " ") });
  if (policy === "warn") return warn();
  if (policy === "fail") throw unusedError(told);
  if (missed) return warn("; they stay, as other requests matched nothing");
  if (unused.length === all) return warn("; they stay, as that is the whole tape");
  const done = await pruneEntries(unused, { path, store, writer: writer() });
  if (done) log({ level: "info", message: `taken off: ${told}`.replace(/\n\s*/g, " ") });
  else warn("; they stay, as the tape has changed meanwhile");
}

/** Those of the entries that this run could have replayed. */
function replayable(entries: readonly TapeEntry[], modes: Modes): TapeEntry[] {
  if (!modes.mixed) return [...entries];
  return entries.filter((entry) => {
    const mode = modeOf(entry, modes);
    return mode !== "record" && mode !== "passthrough";
  });
}

/** A line for each, after a line that says what they are. */
function tellUnused(unused: readonly TapeEntry[], all: number, path: string, redactor: Redactor): string {
  const lines = unused.slice(0, MAX_TOLD).map((entry) =>
    `  entry ${entry.index}: ${entry.method} ${redactor.url(entry.url)}`
  );
  if (unused.length > MAX_TOLD) lines.push(`  and ${unused.length - MAX_TOLD} more`);
  const [noun, were] = unused.length === 1 ? ["entry", "was"] : ["entries", "were"];
  return `${unused.length} ${noun} of ${all} on the tape ${path} ${were} not asked for:\n${lines.join("\n")}`;
}

/** The error of `unused: "fail"`. */
function unusedError(told: string): TapeError {
  return new TapeError(
    "TAPE_UNUSED",
    `${told}\nIf nothing asks for them any more: unused: "prune" takes them off the tape, once. If something should have: ` +
      "it sent no such request.",
  );
}

/** What pruning needs. */
interface PruneOptions {
  readonly path: string;
  readonly store: TapeStore;
  readonly writer: TapeWriter;
}

/**
 * Takes entries off a tape.
 *
 * @returns whether they are: not when somebody else has changed the tape meanwhile
 * @throws {TapeError} `TAPE_NOT_WRITTEN`
 */
async function pruneEntries(
  unused: readonly TapeEntry[],
  { path, store, writer }: PruneOptions,
): Promise<boolean> {
  return await locked(store, path, async (identity) => {
    const { log, items } = await readOld(path, store);
    if (!unused.every((entry) => items[entry.index]?.label === labelOf(entry))) return false;
    const gone = new Set(unused.map(({ index }) => index));
    await writer.finish(log, items.filter((_, i) => !gone.has(i)));
    // The bodies of a recording that is under way, or was broken off, are not on the tape yet.
    const folder = bodyFolder(path);
    const { over, live } = await findJournals(store, folder);
    if (over.length > 0 || live > 0 || readersOf(identity) > 0) return true;
    const stale = await writer.stale();
    if (stale.length > 0) await store.remove(folder, stale).catch(() => {});
    return true;
  });
}

function modeOf(entry: TapeEntry, modes: Modes): string | undefined {
  if (entry.kind === "tcp") return modes.main;
  const request = entry.requestNow();
  if (request === undefined) return undefined;
  try {
    return modes.of(new HttpFlow(request, { id: 0, host: "tape", port: 0 }));
  } catch {
    // A matcher that wants to know more than a tape tells.
    return undefined;
  }
}
