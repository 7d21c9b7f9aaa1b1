/**
 * What can be completed behind options and commands, for every shell.
 *
 * @module
 */
import type { Argument, Command, Option } from "../command.ts";
import { COMMANDS } from "../table.ts";

/** What is completed at a place: words, the names of files, or nothing that is known. */
export type Completed = readonly string[] | "files" | "folders" | "nothing";

/** What stands behind an option; `undefined` when nothing does. */
export function behindOption({ kind, value, choices }: Option): Completed | undefined {
  if (kind === "flag" || kind === "count") return undefined;
  if (choices !== undefined) return choices;
  return value === "file" ? "files" : value === "folder" ? "folders" : "nothing";
}

/** What stands behind the name of a command. */
export function behindCommand({ arguments: [argument] }: Command): Completed | "program" {
  if (argument === undefined) return "nothing";
  if (argument.count === "command") return "program";
  return argument.choices ?? wordsOf(argument) ?? (argument.name === "folder" ? "folders" : "files");
}

/** The options of an option as they are typed: `--tape`, `-t`. */
export function spellings({ name, short }: Option): string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
}

function wordsOf({ count, name }: Argument): readonly string[] | undefined {
  return count === "optional" && name === "command" ? COMMANDS.map((command) => command.name) : undefined;
}
