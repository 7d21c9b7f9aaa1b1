/**
 * Tapes as files on disk.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { type FileHandle, lstat, open, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { fileIdentity } from "./file_identity.ts";
import { lockFile } from "./file_lock.ts";
import { plainName } from "./plain_name.ts";
import type { GrowingFile, OpenFile, Pieces, TapeStore, UnnamedFile } from "./tape_store.ts";

/** Files on disk: the default. Relative paths are those of the working folder. */
export const fileStore: Required<TapeStore> = {
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
      // What is below a link belongs to somebody else.
      if (!(await lstat(folder)).isDirectory()) return undefined;
      const entries = await readdir(folder, { withFileTypes: true });
      return new Map(entries.map((entry) => [entry.name, entry.isFile() ? "file" : "other"]));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },

  async write(path, pieces, { durable = false } = {}) {
    const folder = dirname(path);
    // In the same folder, or the rename would be a copy, which can be cut short.
    const temporary = temporaryName(folder, basename(path));
    try {
      await withFolder(folder, () => open(temporary, "wx").then((file) => file.close()));
      await writePieces(temporary, pieces, durable);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  },

  async remove(folder, names) {
    for (const path of names.map((name) => join(folder, plainName(name)))) await rm(path, { force: true });
    // Fails when something else is in it, as it should.
    await rmdir(folder).catch(() => {});
  },

  now: {
    read(path) {
      try {
        return readFileSync(path);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    write(path, bytes) {
      const folder = dirname(path);
      const temporary = temporaryName(folder, basename(path));
      makeFolder(folder);
      try {
        writeFileSync(temporary, bytes, { flag: "wx" });
        renameSync(temporary, path);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
    },
  },

  async open(path) {
    try {
      const file = await open(path, "r");
      return new DiskFile(file, (await file.stat()).size);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },

  async append(path) {
    // At once, as what it is for may be lost in any moment.
    makeFolder(dirname(path));
    return new DiskJournal(await withFolder(dirname(path), () => openSync(path, "wx+")));
  },

  async begin(folder) {
    const path = temporaryName(folder, "body");
    return new DiskBody(path, await withFolder(folder, () => open(path, "wx")));
  },

  async sweep(folder) {
    for (const name of await readdir(folder).catch(() => [])) {
      if (!TEMPORARY.test(name)) continue;
      const path = join(folder, name);
      // Whatever is being written is younger; on a shared disk nobody can ask who writes it.
      const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: Infinity }));
      if (Date.now() - mtimeMs > FORGOTTEN) await rm(path, { force: true }).catch(() => {});
    }
    await rmdir(folder).catch(() => {});
  },

  lock: (path) => lockFile(join(`${path}.d`, ".lock")),

  identity: fileIdentity,
};

class DiskFile implements OpenFile {
  readonly size: number;
  readonly #file: FileHandle;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - position)));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await this.#file.read(bytes, filled, bytes.length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Writing to the system's memory takes microseconds, and what is there outlives the process; waiting for a thread takes longer. */
class DiskJournal implements GrowingFile {
  readonly #fd: number;
  #size = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  append(text: string): void {
    // A buffer for each write would keep the garbage collector busy.
    const length = Buffer.byteLength(text);
    const bytes = length <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafeSlow(length);
    bytes.write(text);
    let written = 0;
    while (written < length) written += writeSync(this.#fd, bytes, written, length - written, this.#size + written);
    this.#size += length;
  }

  read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#size - position)));
    let filled = 0;
    while (filled < bytes.length) {
      const count = readSync(this.#fd, bytes, filled, bytes.length - filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return Promise.resolve(bytes.subarray(0, filled));
  }

  close(): Promise<void> {
    closeSync(this.#fd);
    return Promise.resolve();
  }
}

const SCRATCH = Buffer.allocUnsafeSlow(256 * 1024);

class DiskBody implements UnnamedFile {
  readonly #path: string;
  readonly #file: FileHandle;

  constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes as Buffer);
  }

  async keep(name: string): Promise<void> {
    await this.#file.close();
    await rename(this.#path, join(dirname(this.#path), name));
  }

  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.#path, { force: true });
    await rmdir(dirname(this.#path)).catch(() => {});
  }
}

let writes = 0;
const TEMPORARY = /^\..*\.tmp$/;
/** Milliseconds. */
const FORGOTTEN = 60_000;
const CHUNK = 1 << 20;

function temporaryName(folder: string, name: string): string {
  return join(folder, `.${name}.${process.pid}-${++writes}-${randomBytes(4).toString("hex")}.tmp`);
}

/** A folder is made when the first file comes; another process may just be removing it with its last one. */
async function withFolder<T>(folder: string, action: () => T | Promise<T>): Promise<T> {
  for (let attempt = 0;; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (attempt === 5 || (error as { code?: unknown }).code !== "ENOENT") throw error;
      makeFolder(folder);
    }
  }
}

/** Of a file system that is read-only, `recursive` says that there is no such folder. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    let missing = folder;
    while (!existsSync(dirname(missing)) && dirname(missing) !== missing) missing = dirname(missing);
    // Somebody else may make it in this moment.
    if (!existsSync(missing)) mkdirSync(missing);
    mkdirSync(folder, { recursive: true });
  }
}

async function writePieces(path: string, pieces: Pieces, durable: boolean): Promise<void> {
  const file = await open(path, "w");
  try {
    let text = "";
    for await (const piece of pieces) {
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
