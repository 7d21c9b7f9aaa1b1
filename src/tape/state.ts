/**
 * What is known of a tape before it is opened: whether it is there, and how old it is.
 *
 * @module
 */
import { TapeError } from "../flow/error.ts";
import { damaged, isObject, parseHar, show } from "./har_read.ts";
import type { TapeOptions } from "./options.ts";
import type { TapeStore } from "./store/tape_store.ts";

/** What is known of a tape. */
export interface TapeState {
  readonly exists: boolean;
  /** The day of its oldest recording in UTC, `2026-11-20`, where it is known. */
  readonly recorded: string | undefined;
}

/** A tape is read for its day only when it may expire. */
export async function stateOf({ path, expires }: TapeOptions, store: TapeStore): Promise<TapeState> {
  if (expires === undefined) return { exists: await exists(path, store), recorded: undefined };
  const bytes = await read(path, store);
  return { exists: bytes !== undefined, recorded: bytes && recordedDay(bytes, path) };
}

/**
 * The day on which a tape was recorded: the one it says (`_recorded`), else that of its oldest entry, where it has times.
 *
 * @throws {TapeError} `TAPE_DAMAGED`
 */
export function recordedDay(bytes: Uint8Array, path: string): string | undefined {
  const log = parseHar(bytes, path) as unknown as Record<string, unknown>;
  const { _recorded: day } = log;
  if (day !== undefined) {
    if (typeof day === "string" && /^\d{4}-\d\d-\d\d$/.test(day) && !Number.isNaN(Date.parse(day))) return day;
    throw damaged(path, `log._recorded is ${show(day)}: a day such as "2026-11-20" is expected`);
  }
  let oldest: string | undefined;
  for (const entry of log.entries as unknown[]) {
    const started = isObject(entry) ? entry.startedDateTime : undefined;
    if (typeof started !== "string" || Number.isNaN(Date.parse(started)) || Date.parse(started) === 0) return undefined;
    const iso = new Date(started).toISOString().slice(0, 10);
    if (oldest === undefined || iso < oldest) oldest = iso;
  }
  return oldest;
}

async function exists(path: string, store: TapeStore): Promise<boolean> {
  if (store.open === undefined) return await read(path, store) !== undefined;
  const file = await store.open(path).catch(() => undefined);
  await file?.close();
  return file !== undefined || await read(path, store) !== undefined;
}

async function read(path: string, store: TapeStore): Promise<Uint8Array | undefined> {
  try {
    return await store.read(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TapeError("TAPE_UNREADABLE", `${path} cannot be read: ${why}`, { cause });
  }
}
