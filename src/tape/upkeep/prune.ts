/**
 * Tapes that no test uses.
 *
 * @module
 */
import { access, readdir, rm } from "node:fs/promises";
import { basename, dirname } from "node:path";
import process from "node:process";
import { bodyFolder } from "../har.ts";
import { fileIdentity } from "../store/file_identity.ts";
import { testNameOf } from "../test_name.ts";
import { findTapes } from "./find_tapes.ts";
import { readUsage } from "./usage.ts";

/** How {@linkcode prune} looks. */
export interface PruneOptions {
  /**
   * The file in which a run of all tests has noted the tapes it used: that of the environment variable `FLOWTAPE_USAGE` by default.
   * Without one, only tapes that the bindings for vitest and Deno have named after test files that are gone are found.
   */
  usage?: string;
  /** Removes what was found, with the folders of bodies. `false` by default. */
  remove?: boolean;
}

/**
 * Finds the tapes in a folder, and all below it, that no test uses. To know them all, run all the tests once with the environment
 * variable `FLOWTAPE_USAGE` set to a file that is not there yet: each tape that is opened is noted in it, by every process.
 *
 * A test that did not run has not used its tape: skipped ones, those of other platforms, those that failed before they opened it.
 *
 * @example
 * ```ts
 * import { prune } from "flowtape/tape";
 *
 * // FLOWTAPE_USAGE=.tapes-used npm test
 * async function clean() {
 *   for (const path of await prune("test", { usage: ".tapes-used" })) console.log(`no test uses ${path}`);
 * }
 * ```
 *
 * @throws {TapeError} `TAPE_NOT_FOUND`: there is no such folder
 * @throws {OptionsError} the list of used tapes cannot be read
 */
export async function prune(dir: string, options: PruneOptions = {}): Promise<string[]> {
  const { usage = process.env.FLOWTAPE_USAGE, remove = false } = options;
  const used = usage ? await readUsage(usage) : undefined;
  const found: string[] = [];
  for (const path of await findTapes([dir])) {
    const isUsed = used === undefined ? !await isOrphan(path) : used.has(await fileIdentity(path));
    if (!isUsed) found.push(path);
  }
  if (remove) { for (const path of found) await removeTape(path); }
  return found;
}

/** Whether a tape lies where a binding has put it, for a test file that is not there any more. */
async function isOrphan(path: string): Promise<boolean> {
  const folder = dirname(path);
  if (basename(dirname(folder)) !== "__tapes__") return false;
  const beside = await readdir(dirname(dirname(folder)));
  const name = basename(folder);
  return !beside.some((file) => file !== name && testNameOf(file) === name);
}

async function removeTape(path: string): Promise<void> {
  await rm(path, { force: true });
  const folder = bodyFolder(path);
  await access(folder).then(() => rm(folder, { recursive: true }), () => {});
  // Folders that bindings have made go with the last tape in them.
  for (let parent = dirname(path); /[\\/]__tapes__(?:[\\/]|$)/.test(parent); parent = dirname(parent)) {
    if ((await readdir(parent)).length > 0) return;
    await rm(parent, { recursive: true });
  }
}
