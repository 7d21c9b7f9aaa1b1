/**
 * Files that a command is told to write.
 *
 * @module
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { EXIT } from "./exit_codes.ts";
import { CliError } from "./failure.ts";
import type { Given } from "./given.ts";

/**
 * Makes the folder of a file that is to be written.
 *
 * @throws {CliError} the file is there, and `--force` was not given
 */
export async function prepareOutput(path: string, given: Given): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw new CliError(EXIT.notWritten, `${path} is a folder: name the file to write`);
  if (there !== undefined && !given.flag("force")) {
    throw new CliError(EXIT.notWritten, `${path} is there already: --force writes over it`);
  }
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (cause) {
    throw new CliError(EXIT.notWritten, `${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
