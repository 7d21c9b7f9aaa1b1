/**
 * The tape that is there before something is written.
 *
 * @module
 */
import { emptyLog, type HarEntry, type HarLog } from "../har.ts";
import { isObject, parseHar } from "../har_read.ts";
import type { TapeStore } from "../store/tape_store.ts";
import { type Kept, keyOf, labelOf } from "./kept.ts";

/** A tape as it stands. */
export interface OldTape {
  /** The document without its entries. */
  readonly log: HarLog;
  readonly items: Kept[];
}

/**
 * Reads the tape anew rather than remembering it: what others wrote stays as it is, also what came meanwhile.
 *
 * @throws {TapeError} it is damaged
 */
export async function readOld(path: string, store: TapeStore): Promise<OldTape> {
  const bytes = await store.read(path);
  if (bytes === undefined) return { log: emptyLog(), items: [] };
  const { entries, ...rest } = parseHar(bytes, path);
  return { log: { ...rest, entries: [] }, items: entries.map((entry, i) => keptOf(entry, i)) };
}

/** An entry as it stands on a tape, whoever wrote it. */
function keptOf(entry: unknown, index: number): Kept {
  const load = () => Promise.resolve(entry as HarEntry);
  const base = { start: 0, end: 0, load };
  if (!isObject(entry) || !isObject(entry.request)) return { ...base, label: "", key: `#${index}` };
  const { method, url } = entry.request;
  if (typeof method !== "string" || typeof url !== "string") return { ...base, label: "", key: `#${index}` };
  return { ...base, label: labelOf({ method, url }), key: keyOf(entry as unknown as HarEntry) };
}
