/**
 * Where tapes are kept. All access to files goes through here.
 *
 * @module
 */

/** What a file is written from. */
export type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/**
 * Keeps the files of tapes: the HAR file at the path of the tape, and in the folder `<path>.d` what belongs to it. Folders are parts of
 * names: they come with the first file in them and go with the last.
 *
 * The first four methods are enough. The others make recording cheaper or safer where a store can do more.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import type { TapeStore } from "flowtape/tape";
 *
 * function memoryStore(): TapeStore {
 *   const files = new Map<string, Uint8Array>();
 *   return {
 *     read: (path) => Promise.resolve(files.get(path)),
 *     async write(path, pieces) {
 *       const parts: Uint8Array[] = [];
 *       for await (const piece of pieces) parts.push(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
 *       files.set(path, new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()));
 *     },
 *     list(folder) {
 *       const names = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
 *       return Promise.resolve(new Map(names.map((path) => [path.slice(folder.length + 1), "file"])));
 *     },
 *     remove(folder, names) {
 *       for (const name of names) files.delete(`${folder}/${name}`);
 *       return Promise.resolve();
 *     },
 *   };
 * }
 *
 * await using proxy = await startProxy({ tape: { path: "checkout.har", mode: "record", store: memoryStore() } });
 * ```
 */
export interface TapeStore {
  /** The bytes of a file; `undefined` when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /**
   * Makes or replaces a file: afterwards it is there as a whole, or it is what it was before.
   *
   * @param options `durable`: it is to survive a loss of power
   */
  write(path: string, pieces: Pieces, options?: { durable?: boolean }): Promise<void>;
  /**
   * The names in a folder, without those of folders below it, and whether each is a file of its own: a link may lead anywhere.
   * `undefined` when there is no such folder.
   */
  list(folder: string): Promise<ReadonlyMap<string, "file" | "other"> | undefined>;
  /** Removes files of a folder that are there; then the folder, if nothing else is in it. */
  remove(folder: string, names: readonly string[]): Promise<void>;

  /** Reading and writing that are over when the call returns. Without it, more than one exchange may be lost when the process dies. */
  readonly now?: StoreNow;
  /** Opens a file for reading bit by bit: large bodies are replayed from it. Without it they are read as a whole. */
  open?(path: string): Promise<OpenFile | undefined>;
  /** Opens a new file that grows: the journal. Without it the journal is many small files. */
  append?(path: string): Promise<GrowingFile>;
  /** Begins a file whose name is known when it is complete: a large body. Without it such bodies stay in memory. */
  begin?(folder: string): Promise<UnnamedFile>;
  /**
   * Waits until nobody else has the lock of this tape, in this process and others. One that a dead process has left must not count. Without
   * it, tapes that several processes write at the same moment are merged as well as that can be done.
   *
   * @returns gives it back
   */
  lock?(path: string): Promise<() => Promise<void>>;
  /** Removes what processes that died have left behind of files that they were writing, unless it may still be written. */
  sweep?(folder: string): Promise<void>;
  /** One file may have many names: what is the same for all of them. The path, where it is missing. */
  identity?(path: string): Promise<string>;
}

/** What a store can do without waiting. */
export interface StoreNow {
  /** As {@linkcode TapeStore.read}. */
  read(path: string): Uint8Array | undefined;
  /** As {@linkcode TapeStore.write}. */
  write(path: string, bytes: Uint8Array): void;
}

/** A file that is read bit by bit. */
export interface OpenFile {
  /** Its length in bytes. */
  readonly size: number;
  /** Up to `length` bytes from `position` on; fewer at its end. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Nothing more is read. */
  close(): Promise<void>;
}

/** A file that grows. */
export interface GrowingFile {
  /** Puts text behind what is there. Once this returns, or resolves, it survives the end of the process. */
  append(text: string): void | Promise<void>;
  /** What has been appended: up to `length` bytes from `position` on. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Nothing more is appended or read. */
  close(): Promise<void>;
}

/** A file that has no name yet. */
export interface UnnamedFile {
  /** Puts bytes behind those that are there. */
  write(bytes: Uint8Array): Promise<void>;
  /** Gives it a name in its folder, in place of whatever has it. */
  keep(name: string): Promise<void>;
  /** Removes it. */
  discard(): Promise<void>;
}
