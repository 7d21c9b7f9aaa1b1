/**
 * Tapes in whatever `unstorage` has a driver for: Redis, S3, HTTP, memory. It is known by its shape; nothing of it is imported.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { TapeError } from "../../flow/error.ts";
import { plainName } from "./plain_name.ts";
import { storageKeys } from "./storage_keys.ts";
import { lockItem, type LockItems } from "./storage_lock.ts";
import type { Pieces, TapeStore } from "./tape_store.ts";

/** What is needed of an `unstorage` instance: `createStorage(...)` makes one. */
export interface StorageLike {
  /** Whether there is a value. */
  hasItem(key: string): Promise<boolean>;
  /** The bytes of a value. */
  getItemRaw(key: string): Promise<unknown>;
  /** Sets the bytes of a value. */
  setItemRaw(key: string, value: Uint8Array): Promise<void>;
  /** Removes a value. */
  removeItem(key: string): Promise<void>;
  /** The keys that begin so. */
  getKeys(base?: string): Promise<string[]>;
  /** Where a key is kept. */
  getMount?(key?: string): { readonly base: string; readonly driver: unknown };
}

/** How tapes lie in a storage. */
export interface UnstorageStoreOptions {
  /** Absolute paths of tapes count from this folder, which all machines have in common, such as the checkout. The working folder by default. */
  root?: string;
  /** What all keys begin with, such as `"tapes"`. Nothing by default. */
  prefix?: string;
}

/**
 * Keeps tapes in an `unstorage` instance, so that many machines share them. The path of a tape becomes its key: `fixtures/a.har` is
 * `fixtures:a.har`. A path that would lead out of the root or the prefix is refused.
 *
 * Recordings of several machines at the same time are merged; with Redis under a real lock, else under one that is kept by waiting.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { unstorageStore } from "flowtape/tape";
 * import { createStorage } from "unstorage";
 *
 * const store = unstorageStore(createStorage(), { prefix: "tapes" }); // driver: redisDriver({ url: process.env.REDIS_URL })
 * await using proxy = await startProxy({ tape: { path: "checkout.har", store } });
 * ```
 */
export function unstorageStore(storage: StorageLike, options: UnstorageStoreOptions = {}): TapeStore {
  const keys = storageKeys(options);
  const read = async (key: string) => {
    // Not every driver says `null` of what is not there.
    if (!await storage.hasItem(key)) return undefined;
    return toBytes(await storage.getItemRaw(key), key);
  };
  const items: LockItems = {
    read: async (key) => {
      const bytes = await read(key);
      return bytes && Buffer.from(bytes).toString("utf8");
    },
    write: (key, text) => storage.setItemRaw(key, Buffer.from(text)),
    remove: (key) => storage.removeItem(key),
  };
  return {
    read: (path) => guarded(async () => await read(keys.of(path))),
    write: (path, pieces) =>
      guarded(async () => {
        const bytes = await join(pieces);
        await storage.setItemRaw(keys.of(path), bytes);
      }),
    list: (folder) =>
      guarded(async () => {
        const base = `${keys.of(folder)}:`;
        const names = (await storage.getKeys(base)).flatMap((key) => {
          const rest = key.startsWith(base) ? key.slice(base.length) : "";
          return rest === "" || rest.includes(":") ? [] : [keys.name(rest)];
        });
        return names.length === 0 ? undefined : new Map(names.map((name) => [name, "file"]));
      }),
    remove: (folder, names) =>
      guarded(async () => {
        for (const name of names) await storage.removeItem(keys.of(`${folder}/${plainName(name)}`));
      }),
    lock: (path) => guarded(() => lockItem(`${keys.of(`${path}.d`)}:.lock`, items, storage.getMount?.(keys.of(path)))),
    identity: (path) => Promise.resolve(keys.of(path)),
  };
}

async function join(pieces: Pieces): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(typeof piece === "string" ? Buffer.from(piece) : piece);
  return Buffer.concat(parts);
}

function toBytes(value: unknown, key: string): Uint8Array | undefined {
  if (value === null || value === undefined) return undefined;
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TapeError("TAPE_UNREADABLE", `the storage has no bytes under ${key}, but something else: ${typeof value}`);
}

/** Not every error of a driver has a message of its own. */
async function guarded<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof Error && cause.message !== "") throw cause;
    throw new TapeError("TAPE_STORAGE", `the storage failed: ${cause}`, { cause });
  }
}
