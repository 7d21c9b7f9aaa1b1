/**
 * Temporary folders.
 *
 * @module
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is removed with all it holds when it is disposed of. */
export interface TempFolder extends AsyncDisposable {
  readonly path: string;
  /** The path of a file in it. */
  file(...parts: string[]): string;
}

/** `await using folder = await tempFolder();` */
export async function tempFolder(): Promise<TempFolder> {
  const path = await mkdtemp(join(tmpdir(), "flowtape-"));
  return {
    path,
    file: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
