/**
 * Completions for fish.
 *
 * @module
 */
import type { Command, Option } from "../command.ts";
import { COMMANDS, optionsOf } from "../table.ts";
import { behindCommand, behindOption, type Completed } from "./values.ts";

/** The script. */
export function fishCompletions(): string {
  return `# Completions of flowtape for fish: flowtape completions fish | source
function __flowtape_command
    set -l words (commandline -opc)
    test (count $words) -ge 2; and echo $words[2]
end
function __flowtape_in
    test "$(__flowtape_command)" = $argv[1]; and not contains -- -- (commandline -opc)
end
function __flowtape_behind_dashes
    contains -- -- (commandline -opc)
end
function __flowtape_program
    set -l words (commandline -opc)
    set -l at (contains -i -- -- $words)
    complete -C (string join ' ' -- $words[(math $at + 1)..-1] (commandline -ct))
end
complete -c flowtape -e
complete -c flowtape -f
complete -c flowtape -n __flowtape_behind_dashes -xa '(__flowtape_program)'
complete -c flowtape -n 'test -z "$(__flowtape_command)"' -l version -d 'says which version this is'
${
    COMMANDS.map(({ name, about }) =>
      `complete -c flowtape -n 'test -z "$(__flowtape_command)"' -a ${name} -d ${quoted(about)}`
    ).join("\n")
  }
${COMMANDS.flatMap(linesOf).join("\n")}
`;
}

function linesOf(command: Command): string[] {
  const prefix = `complete -c flowtape -n '__flowtape_in ${command.name}'`;
  const completed = behindCommand(command);
  const own = completed === "program" || completed === "nothing" ? [] : [`${prefix} ${valuesOf(completed)}`];
  return [...own, ...optionsOf(command).map((option) => `${prefix} ${optionOf(option)}`)];
}

function optionOf(option: Option): string {
  const { name, short, about } = option;
  const behind = behindOption(option);
  const value = behind === undefined ? "" : ` -r ${valuesOf(behind)}`;
  return `-l ${name}${short === undefined ? "" : ` -s ${short}`}${value} -d ${quoted(about)}`;
}

function valuesOf(completed: Completed): string {
  if (completed === "files") return "-F";
  if (completed === "folders") return "-a '(__fish_complete_directories)'";
  return completed === "nothing" ? "-f" : `-f -a ${quoted((completed as readonly string[]).join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
