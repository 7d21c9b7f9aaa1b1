/**
 * The keys of files in a storage that has keys instead of paths.
 *
 * @module
 */
import { isAbsolute, posix, relative, sep } from "node:path";
import process from "node:process";
import { TapeError } from "../../flow/error.ts";

/** Paths to keys, and back. */
export interface StorageKeys {
  /**
   * The key of a path.
   *
   * @throws {TapeError} `TAPE_PATH`: it leads out of the root or the prefix
   */
  of(path: string): string;
  /** The name in the last part of a key. */
  name(part: string): string;
}

/** The keys below a prefix. */
export function storageKeys({ root = process.cwd(), prefix = "" }: { root?: string; prefix?: string }): StorageKeys {
  const before = prefix.split(/[:/\\]+/).filter((part) => part !== "").map(encode);
  return {
    of(path) {
      const inRoot = isAbsolute(path) ? relative(root, path).replaceAll(sep, "/") : path.replaceAll("\\", "/");
      const parts = posix.normalize(inRoot).split("/").filter((part) => part !== "" && part !== ".");
      if (parts.length === 0 || parts[0] === ".." || path.includes("\0") || isAbsolute(inRoot)) {
        throw new TapeError(
          "TAPE_PATH",
          `${
            JSON.stringify(path)
          } is not below ${root}: give the store the folder that all tapes are in (root), or a relative path`,
        );
      }
      return [...before, ...parts.map(encode)].join(":");
    },
    name: (part) => decodeURIComponent(part),
  };
}

/** What would have a meaning in a key. A part that ends with `$` is something else than a value. */
function encode(part: string): string {
  return part.replace(/[%:?#\\]|\$$/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}
