/**
 * Names of files that stay in their folder.
 *
 * @module
 */
import { TapeError } from "../../flow/error.ts";

/**
 * The name, if it is one: nothing that would lead into another folder.
 *
 * @throws {TapeError} `TAPE_PATH`
 */
export function plainName(name: string): string {
  if (/^(?!\.{1,2}$)[^/\\\0]+$/.test(name)) return name;
  throw new TapeError("TAPE_PATH", `${JSON.stringify(name)} is not the name of a file in the folder of a tape`);
}
