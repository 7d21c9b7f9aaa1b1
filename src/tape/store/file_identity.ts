/**
 * One file has many names: links, "..", and it may not be there yet.
 *
 * @module
 */
import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

/** What is the same for every name of a file. */
export async function fileIdentity(path: string): Promise<string> {
  const full = resolve(path);
  for (let folder = dirname(full), rest = basename(full);;) {
    try {
      return join(await realpath(folder), rest);
    } catch {
      const parent = dirname(folder);
      if (parent === folder) return full;
      rest = join(basename(folder), rest);
      folder = parent;
    }
  }
}
