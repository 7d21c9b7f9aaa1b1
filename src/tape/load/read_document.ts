/**
 * Reads the document of a tape: plain entries quickly and into little memory, all others one by one.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import type { StoredEntry } from "../entry.ts";
import { placeOf, readEntry, readFields } from "../entry_read.ts";
import { parseHar } from "../har_read.ts";
import { scanHar, type Scanned } from "./har_scanner.ts";

/** A document that was read. */
export interface ReadDocument {
  readonly entries: readonly StoredEntry[];
  /** The files that an entry refers to. */
  filesOf(index: number): readonly string[];
  /** Where an entry is, for messages. */
  placeOf(index: number): string;
}

/**
 * Reads a document.
 *
 * @throws {TapeError} `TAPE_DAMAGED`, `TAPE_VERSION`, `TAPE_BODY_PATH` name the place
 */
export function readDocument(bytes: Uint8Array, path: string): ReadDocument {
  const scanned = scanTape(bytes);
  if (scanned === undefined) return documentOf(parseHar(bytes, path).entries, path);
  const entries = scanned.entries.map((entry, i) => entry ?? readEntry(parsed(bytes, scanned, i), i, path));
  return {
    entries,
    filesOf: (i) => scanned.entries[i] === undefined ? filesOf(entries[i]!) : scanned.files.get(i) ?? NONE,
    placeOf: (i) => placeOf(parsed(bytes, scanned, i), i),
  };
}

/** The same of entries that have been parsed. */
export function documentOf(given: readonly unknown[], path: string): ReadDocument {
  const entries = given.map((entry, i) => readEntry(entry, i, path));
  return { entries, filesOf: (i) => filesOf(entries[i]!), placeOf: (i) => placeOf(given[i], i) };
}

/** Scans a tape; `undefined` when the parser must say what is wrong with it, or knows better. */
export function scanTape(bytes: Uint8Array): Scanned | undefined {
  if (!isUtf8(bytes)) return undefined;
  const origins = new Set<string>();
  const scanned = scanHar(bytes, {
    line(name, value) {
      try {
        return readFields([{ name, value }], "");
      } catch {
        return undefined;
      }
    },
    isUrl: (url) => isUrl(url, origins),
  });
  return scanned !== undefined && /^"1\.[12]"$/.test(scanned.rest.get("version") ?? "") ? scanned : undefined;
}

/** An entry as the parser reads it. */
export function parsed(bytes: Uint8Array, { places }: Scanned, index: number): unknown {
  return JSON.parse(textOf(bytes, places[2 * index]!, places[2 * index + 1]!));
}

/** What stands there. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
}

const NONE: readonly string[] = [];

function filesOf({ request, response, lines }: StoredEntry): string[] {
  const bodies = [request.body, response.body].flatMap((body) => body?.form === "file" ? [body.value] : []);
  return lines === undefined || bodies.includes(lines) ? bodies : [...bodies, lines];
}

/** Any path is good behind a good origin, and a tape has few of these. */
function isUrl(url: string, origins: Set<string>): boolean {
  const end = url.indexOf("/", 8);
  const origin = end < 0 ? url : url.slice(0, end);
  if (!origins.has(origin)) {
    if (!/^(?:https?|wss?):\/\/[^/?#\s]/i.test(url) || !URL.canParse(url)) return false;
    if (origins.size < 1000) origins.add(origin);
  }
  // A fragment is not sent.
  return !url.includes("#");
}
