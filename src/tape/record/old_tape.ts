/**
 * The tape that is there before something is written.
 *
 * @module
 */
import { emptyLog, type HarEntry, type HarLog } from "../har.ts";
import { isObject, parseHar } from "../har_read.ts";
import { createHash } from "node:crypto";
import type { TapeStore } from "../store/tape_store.ts";
import type { StoredEntry } from "../entry.ts";
import type { Scanned } from "../load/har_scanner.ts";
import { parsed, scanTape, textOf } from "../load/read_document.ts";
import { type Kept, keyOf, keyWith, labelOf } from "./kept.ts";

/** A tape as it stands. */
export interface OldTape {
  /** The document without its entries. */
  readonly log: HarLog;
  readonly items: Kept[];
  /** Tells whether somebody has written it since. */
  readonly stamp: string;
}

/** Equal for equal documents. */
export function stampOf(bytes: Uint8Array | undefined): string {
  return createHash("sha1").update(bytes ?? "").digest("base64");
}

/**
 * Reads the tape anew rather than remembering it: what others wrote stays as it is, also what came meanwhile.
 *
 * @throws {TapeError} it is damaged
 */
export async function readOld(path: string, store: TapeStore): Promise<OldTape> {
  const bytes = await store.read(path);
  if (bytes === undefined) return { log: emptyLog(), items: [], stamp: stampOf(bytes) };
  const scanned = scanTape(bytes);
  if (scanned === undefined) {
    const { entries, ...rest } = parseHar(bytes, path);
    return { log: { ...rest, entries: [] }, items: entries.map((entry, i) => keptOf(entry, i)), stamp: stampOf(bytes) };
  }
  const rest = Object.fromEntries([...scanned.rest].map(([key, json]) => [key, JSON.parse(json) as unknown]));
  const items = scanned.entries.map((entry, i) =>
    entry === undefined ? keptOf(parsed(bytes, scanned, i), i) : plainItem(entry, bytes, scanned, i)
  );
  return { log: { ...rest as unknown as HarLog, entries: [] }, items, stamp: stampOf(bytes) };
}

/** One that is plain is not parsed for this. If it stands as we print it, it can stand so in the new tape. */
function plainItem({ method, url, request }: StoredEntry, bytes: Uint8Array, { places }: Scanned, index: number): Kept {
  const load = () => {
    const text = textOf(bytes, places[2 * index]!, places[2 * index + 1]!);
    return Promise.resolve(PRINTED.test(text) ? text : JSON.parse(text) as HarEntry);
  };
  return {
    label: labelOf({ method, url }),
    key: keyWith({ method, url }, request.body?.value ?? ""),
    start: 0,
    end: 0,
    load,
  };
}

const PRINTED = /^\{\n {8}"startedDateTime": [^]*\n {6}\}$/;

/** An entry as it stands on a tape, whoever wrote it. */
function keptOf(entry: unknown, index: number): Kept {
  const load = () => Promise.resolve(entry as HarEntry);
  const base = { start: 0, end: 0, load };
  if (!isObject(entry) || !isObject(entry.request)) return { ...base, label: "", key: `#${index}` };
  const { method, url } = entry.request;
  if (typeof method !== "string" || typeof url !== "string") return { ...base, label: "", key: `#${index}` };
  return { ...base, label: labelOf({ method, url }), key: keyOf(entry as unknown as HarEntry) };
}
