/**
 * How large a tape may be.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { TapeError } from "../../flow/error.ts";
import { filesOf } from "../files_of.ts";
import { bodyFolder, type HarEntry, type HarLog, printEntry, printHead } from "../har.ts";
import type { TapeStore } from "../store/tape_store.ts";

/** What a tape is to be made of. */
export interface Planned {
  readonly path: string;
  readonly store: TapeStore;
  readonly log: HarLog;
  /** The entries, or their texts. */
  readonly items: Iterable<{ load(): Promise<HarEntry | string> }>;
}

// A comma, a line break and six spaces; what closes the document is as much, without a comma in front of the first entry.
const SEPARATOR = 8;
const TAIL = "\n    ]\n  }\n}\n".length - 1;

/** How many entries the error names. */
const NAMED = 5;

/**
 * Refuses a tape that has more bytes than it may, with its bodies.
 *
 * @throws {TapeError} `TAPE_TOO_LARGE` names the largest entries
 */
export async function checkBudget({ path, store, log, items }: Planned, maxBytes: number): Promise<void> {
  const folder = bodyFolder(path);
  const files = new Map<string, number>();
  const largest: { readonly title: string; readonly bytes: number }[] = [];
  let total = Buffer.byteLength(printHead(log)) + TAIL;
  for (const item of items) {
    const entry = await item.load();
    const text = typeof entry === "string" ? entry : printEntry(entry);
    let bytes = Buffer.byteLength(text);
    total += bytes + SEPARATOR;
    for (const name of filesOf(text)) {
      const known = files.get(name);
      const size = known ?? await sizeOf(join(folder, name), store);
      files.set(name, size);
      bytes += size;
      // A body that several entries share is there once.
      if (known === undefined) total += size;
    }
    largest.push({ title: titleOf(entry), bytes });
    if (largest.length > 1000) keepLargest(largest);
  }
  if (total <= maxBytes) return;
  keepLargest(largest);
  const lines = largest.map(({ title, bytes }) => `  ${formatBytes(bytes)}  ${title}`);
  throw new TapeError(
    "TAPE_TOO_LARGE",
    `${path} was not written: it would have ${formatBytes(total)}, and maxBytes allows ${formatBytes(maxBytes)}. ` +
      `The old tape is as it was. The largest entries:\n${lines.join("\n")}\n` +
      'What need not be on the tape: modes: [["<matcher>", "passthrough"]], or a rule that answers it. Otherwise raise maxBytes.',
  );
}

/** `1.2 MB` */
export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${unit === 0 || bytes >= 100 ? Math.round(bytes) : bytes.toFixed(1)} ${units[unit]}`;
}

/** How many bytes a file of a store has; 0 where there is none. */
export async function sizeOf(path: string, store: TapeStore): Promise<number> {
  if (store.open === undefined) return (await store.read(path))?.length ?? 0;
  const file = await store.open(path);
  const size = file?.size ?? 0;
  await file?.close();
  return size;
}

function keepLargest(list: { readonly bytes: number }[]): void {
  list.sort((a, b) => b.bytes - a.bytes);
  list.length = Math.min(list.length, NAMED);
}

function titleOf(entry: HarEntry | string): string {
  const { request } = typeof entry === "string" ? JSON.parse(entry) as HarEntry : entry;
  return `${request.method} ${request.url.slice(0, 200)}`;
}
