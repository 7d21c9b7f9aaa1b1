/**
 * A store in memory: what is exported is written as a tape first, so that it is redacted and looked through as one.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { TapeStore } from "../store/tape_store.ts";

/** Keeps files by their paths. */
export class MemoryStore implements TapeStore {
  readonly #files = new Map<string, Uint8Array>();

  /** The bytes of a file. */
  read(path: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#files.get(path));
  }

  /** Keeps a file. */
  async write(path: string, pieces: Parameters<TapeStore["write"]>[1]): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const piece of pieces) parts.push(typeof piece === "string" ? Buffer.from(piece) : piece);
    this.#files.set(path, Buffer.concat(parts));
  }

  /** The names in a folder. */
  list(folder: string): Promise<ReadonlyMap<string, "file" | "other">> {
    const names = [...this.#files.keys()].map((path) => nameIn(path, folder)).filter((name) => name !== undefined);
    return Promise.resolve(new Map(names.map((name) => [name, "file"])));
  }

  /** Lets files go. */
  remove(folder: string, names: readonly string[]): Promise<void> {
    for (const path of this.#files.keys()) if (names.includes(nameIn(path, folder) ?? "")) this.#files.delete(path);
    return Promise.resolve();
  }

  /** The bytes of a file in a folder, at once. */
  file(folder: string, name: string): Uint8Array {
    for (const [path, bytes] of this.#files) if (nameIn(path, folder) === name) return bytes;
    throw new Error(`the file ${name} has not been written`);
  }
}

function nameIn(path: string, folder: string): string | undefined {
  const name = path.slice(folder.length + 1);
  return path.startsWith(folder) && name !== "" && !/[\\/]/.test(name) ? name : undefined;
}
