/**
 * What there is on tapes.
 *
 * @module
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { TapeError } from "../../flow/error.ts";
import { filesOf } from "../files_of.ts";
import { bodyFolder } from "../har.ts";
import { isObject, parseHar } from "../har_read.ts";
import { recordedDay } from "../state.ts";
import { formatBytes } from "./budget.ts";
import { findTapes } from "./find_tapes.ts";

/** What is on one tape. */
export interface TapeStats {
  /** The HAR file. */
  readonly path: string;
  /** How many exchanges. */
  readonly entries: number;
  /** Bytes of the HAR file and of the bodies that it refers to. */
  readonly bytes: number;
  /** How many bodies are files of their own. */
  readonly bodies: number;
  /** How many bytes there would be more if entries did not share bodies. */
  readonly saved: number;
  /** How many exchanges with each host. */
  readonly hosts: Readonly<Record<string, number>>;
  /** The day of the recording, where the tape says it: `2026-11-20`. */
  readonly recorded: string | undefined;
}

/** What is on some tapes. */
export class TapesStats {
  /** Each of them, the largest first. */
  readonly tapes: readonly TapeStats[];
  /** How many exchanges on all of them. */
  readonly entries: number;
  /** Bytes of all of them. */
  readonly bytes: number;
  /** How many bytes there would be more if entries did not share bodies. */
  readonly saved: number;
  /** How many exchanges with each host, on all of them; those with the most first. */
  readonly hosts: Readonly<Record<string, number>>;
  /** The tape with the oldest day, of those that have one. */
  readonly oldest: TapeStats | undefined;

  /** For {@linkcode stats}. */
  constructor(tapes: readonly TapeStats[]) {
    this.tapes = tapes.toSorted((a, b) => b.bytes - a.bytes);
    const sum = (of: (tape: TapeStats) => number) => tapes.reduce((total, tape) => total + of(tape), 0);
    this.entries = sum(({ entries }) => entries);
    this.bytes = sum(({ bytes }) => bytes);
    this.saved = sum(({ saved }) => saved);
    const hosts = new Map<string, number>();
    for (const tape of tapes) {
      for (const [host, count] of Object.entries(tape.hosts)) hosts.set(host, (hosts.get(host) ?? 0) + count);
    }
    this.hosts = Object.fromEntries([...hosts].sort((a, b) => b[1] - a[1]));
    this.oldest = tapes.filter(({ recorded }) => recorded !== undefined)
      .sort((a, b) => a.recorded! < b.recorded! ? -1 : 1)[0];
  }

  /** A table, to be printed. */
  toString(): string {
    const rows = this.tapes.map((
      { path, entries, bytes, recorded = "" },
    ) => [`${entries}`, formatBytes(bytes), recorded, path]);
    const table = [["entries", "size", "recorded", "tape"], ...rows];
    const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
    const lines = table.map(([entries, size, recorded, path]) =>
      `${entries!.padStart(widths[0]!)}  ${size!.padStart(widths[1]!)}  ${recorded!.padEnd(widths[2]!)}  ${path}`
    );
    const hosts = Object.entries(this.hosts).slice(0, 10).map(([host, count]) => `${host} ${count}`);
    const total = `${this.entries} entries on ${this.tapes.length} tapes, ${formatBytes(this.bytes)}` +
      (this.saved > 0 ? `; shared bodies save ${formatBytes(this.saved)}` : "") +
      (this.oldest === undefined ? "" : `; the oldest is of ${this.oldest.recorded}`);
    return `${lines.join("\n")}\n\n${total}\nhosts: ${hosts.join(", ") || "none"}`;
  }
}

/**
 * Counts what is on tapes: entries, bytes, hosts, bodies that entries share, and the oldest recording. Print it to see a table.
 *
 * @param paths tapes, and folders with tapes in them or further below
 *
 * @example
 * ```ts
 * import { stats } from "flowtape/tape";
 *
 * async function show() {
 *   console.log(String(await stats(["test"])));
 * }
 * ```
 *
 * @throws {TapeError} a path leads nowhere, or a tape is damaged
 */
export async function stats(paths: string | readonly string[]): Promise<TapesStats> {
  const tapes: TapeStats[] = [];
  for (const path of await findTapes(typeof paths === "string" ? [paths] : paths)) tapes.push(await statsOf(path));
  return new TapesStats(tapes);
}

async function statsOf(path: string): Promise<TapeStats> {
  const bytes = await readFile(path).catch((cause) => {
    throw new TapeError(
      "TAPE_UNREADABLE",
      `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  });
  const log = parseHar(bytes, path);
  const hosts = new Map<string, number>();
  const files = new Map<string, number>();
  for (const entry of log.entries) {
    const host = hostOf(entry);
    if (host !== undefined) hosts.set(host, (hosts.get(host) ?? 0) + 1);
    for (const file of filesOf(JSON.stringify(entry))) files.set(file, (files.get(file) ?? 0) + 1);
  }
  let total = bytes.length;
  let saved = 0;
  for (const [file, count] of files) {
    const size = (await stat(join(bodyFolder(path), file)).catch(() => undefined))?.size ?? 0;
    total += size;
    saved += size * (count - 1);
  }
  const sorted = Object.fromEntries([...hosts].sort((a, b) => b[1] - a[1]));
  const recorded = recordedDay(bytes, path);
  return { path, entries: log.entries.length, bytes: total, bodies: files.size, saved, hosts: sorted, recorded };
}

function hostOf(entry: unknown): string | undefined {
  const request = isObject(entry) && isObject(entry.request) ? entry.request : {};
  return typeof request.url === "string" ? URL.parse(request.url)?.host : undefined;
}
