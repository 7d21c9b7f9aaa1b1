/**
 * HAR files of others: Chrome, Firefox, Safari, Charles, Insomnia, Playwright, mitmproxy, Polly.js. What they do differently is put right
 * in `har_quirks.ts`; the rest is read as a tape is.
 *
 * @module
 */
import { TapeEntry } from "../entry.ts";
import { placeOf, readEntry } from "../entry_read.ts";
import { isObject, type Json } from "../har_read.ts";
import type { Collector } from "./collector.ts";
import { notImported } from "./failure.ts";
import { repairEntry, whyLeftOut } from "./har_quirks.ts";

/** Where the files are that a HAR file names. */
export interface BodyFiles {
  /** The bytes of a file; `undefined` when there is none of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Whether there is a file of this name. */
  has(name: string): boolean;
}

/** Reads the entries, in the order in which the requests began. */
export function readHar(log: Json, files: BodyFiles, into: Collector): void {
  if (!Array.isArray(log.entries)) throw notImported(into.path, "log.entries is missing: an array is expected");
  const { path } = into;
  const creator = isObject(log.creator) && typeof log.creator.name === "string" ? log.creator.name : "";
  const read = async (name: string, entry: TapeEntry) => {
    const bytes = await files.read(name);
    if (bytes === undefined) throw missing(path, `log.entries[${entry.index}] (${entry})`, name);
    return bytes;
  };
  for (const [i, entry] of inOrder(log.entries)) {
    const place = placeOf(entry, i);
    const why = isObject(entry) ? whyLeftOut(entry, creator) : undefined;
    if (why !== undefined) {
      into.note(place, `left out: ${why}`);
      continue;
    }
    into.attempt(place, () => {
      const stored = readEntry(isObject(entry) ? repairEntry(entry) : entry, i, path);
      for (const { body } of [stored.request, stored.response]) {
        if (body?.form === "file" && !files.has(body.value)) throw missing(path, place, body.value);
      }
      into.entries.push(new TapeEntry(into.entries.length, stored, read, path));
    });
  }
}

/** mitmproxy writes them as they ended, others as they please: identical requests need their order. */
function inOrder(entries: readonly unknown[]): [number, unknown][] {
  const timed = entries.map((entry, i) => {
    const time = isObject(entry) && typeof entry.startedDateTime === "string" ? Date.parse(entry.startedDateTime) : NaN;
    const order = isObject(entry) && typeof entry._order === "number" ? entry._order : 0;
    return { i, entry, time, order };
  });
  if (timed.every(({ time }) => Number.isFinite(time))) {
    timed.sort((a, b) => a.time - b.time || a.order - b.order || a.i - b.i);
  }
  return timed.map(({ i, entry }) => [i, entry]);
}

function missing(path: string, place: string, name: string): Error {
  return notImported(path, `${place}: the body file ${name} is missing`, "IMPORT_BODY_MISSING");
}
