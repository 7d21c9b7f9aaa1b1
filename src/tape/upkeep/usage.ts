/**
 * Which tapes a run of the tests has used: each that is opened is added to the file that `FLOWTAPE_USAGE` names.
 *
 * @module
 */
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { OptionsError } from "../../flow/error.ts";
import { fileIdentity } from "../store/file_identity.ts";

/** Notes that a tape is used. Workers of a test runner may do it at the same time: a line is written in one piece. */
export async function noteUse(path: string, file: string | undefined): Promise<void> {
  if (file === undefined || file === "") return;
  const target = resolve(file);
  await mkdir(dirname(target), { recursive: true });
  await appendFile(target, `${JSON.stringify(await fileIdentity(path))}\n`);
}

/**
 * The tapes in such a file.
 *
 * @throws {OptionsError} it cannot be read, or is none
 */
export async function readUsage(file: string): Promise<Set<string>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new OptionsError(
      `the list of used tapes ${file} cannot be read (${
        cause instanceof Error ? cause.message : cause
      }): run all tests with ` +
        `FLOWTAPE_USAGE=${file} first`,
    );
  }
  const used = new Set<string>();
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const path = parse(line);
    if (path === undefined) {
      throw new OptionsError(`${file} is no list of used tapes: it has the line ${line.slice(0, 80)}`);
    }
    used.add(path);
  }
  return used;
}

function parse(line: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
