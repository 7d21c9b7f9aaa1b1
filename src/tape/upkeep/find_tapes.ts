/**
 * The tapes in folders.
 *
 * @module
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { TapeError } from "../../flow/error.ts";

/**
 * The HAR files among the given ones, and in the given folders and all below them, in order. Left out are `node_modules` and folders
 * whose names begin with a dot; links are not followed.
 *
 * @throws {TapeError} `TAPE_NOT_FOUND`: one of the paths leads nowhere
 */
export async function findTapes(paths: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const kind = await stat(path).catch(() => undefined);
    if (kind === undefined) throw new TapeError("TAPE_NOT_FOUND", `${path} is no tape and no folder: there is nothing`);
    if (!kind.isDirectory()) found.add(path);
    else for (const tape of await tapesIn(path)) found.add(tape);
  }
  return [...found];
}

async function tapesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const path = join(folder, entry.name);
    if (entry.isFile() && entry.name.endsWith(".har") && !entry.name.startsWith(".")) found.push(path);
    else if (entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith(".")) {
      found.push(...await tapesIn(path));
    }
  }
  return found;
}
