/**
 * Where tapes are kept. All access to files goes through here.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { lstat, mkdir, open, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";

/** Keeps files. Paths are those of the file system, or whatever a store makes of them. */
export interface TapeStore {
  /** The bytes of a file; `undefined` when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * The names in a folder, and whether each is a file of its own: a link may lead anywhere. `undefined` when there is
   * no such folder, or when it is a link itself.
   */
  list(folder: string): Promise<Map<string, "file" | "other"> | undefined>;
  /** Makes or replaces a file: afterwards it is there as a whole, or it is what it was before. Makes missing folders. */
  write(path: string, pieces: Iterable<string | Uint8Array>, options?: { durable?: boolean }): Promise<void>;
  /** Removes files that are there; then the folder, if nothing else is in it. */
  remove(folder: string, names: readonly string[]): Promise<void>;
}

/** Files on disk. */
export const fileStore: TapeStore = {
  async read(path) {
    try {
      return await readFile(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },

  async list(folder) {
    try {
      if (!(await lstat(folder)).isDirectory()) return undefined;
      const entries = await readdir(folder, { withFileTypes: true });
      return new Map(entries.map((entry) => [entry.name, entry.isFile() ? "file" : "other"]));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },

  async write(path, pieces, { durable = false } = {}) {
    await mkdir(dirname(path), { recursive: true });
    // In the same folder, or the rename would be a copy, which can be cut short.
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${++writes}.tmp`);
    try {
      await writePieces(temporary, pieces, durable);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  },

  async remove(folder, names) {
    for (const name of names) await rm(join(folder, name), { force: true });
    // Fails when something else is in it, as it should.
    await rmdir(folder).catch(() => {});
  },
};

let writes = 0;
const CHUNK = 1 << 20;

async function writePieces(path: string, pieces: Iterable<string | Uint8Array>, durable: boolean): Promise<void> {
  const file = await open(path, "wx");
  try {
    let text = "";
    for (const piece of pieces) {
      if (typeof piece === "string") {
        text += piece;
        if (text.length < CHUNK) continue;
      }
      if (text !== "") await file.writeFile(text);
      text = "";
      if (typeof piece !== "string") await file.writeFile(piece as Buffer);
    }
    if (text !== "") await file.writeFile(text);
    if (durable) await file.sync();
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === "ENOENT" || code === "ENOTDIR";
}
