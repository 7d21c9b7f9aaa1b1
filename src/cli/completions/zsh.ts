/**
 * Completions for zsh.
 *
 * @module
 */
import type { Command, Option } from "../command.ts";
import { COMMANDS, optionsOf } from "../table.ts";
import { behindCommand, behindOption, type Completed } from "./values.ts";

/** The script. */
export function zshCompletions(): string {
  return `#compdef flowtape
# Completions of flowtape for zsh: source <(flowtape completions zsh), behind compinit
_flowtape() {
  local -a commands
  commands=(
${COMMANDS.map(({ name, about }) => `    ${quoted(`${name}:${about}`)}`).join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands 'flowtape command' commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${COMMANDS.map(branchOf).join("\n")}
  esac
}
if [[ $funcstack[1] == _flowtape ]]; then _flowtape "$@"; else compdef _flowtape flowtape; fi
`;
}

function branchOf(command: Command): string {
  const specs = [...optionsOf(command).flatMap(specsOf), ...behind(command)];
  return [`    ${command.name})`, "      _arguments -S \\", ...continued(specs), "      ;;"].join("\n");
}

function continued(specs: readonly string[]): string[] {
  return specs.map((spec, i) => `        ${quoted(spec)}${i < specs.length - 1 ? " \\" : ""}`);
}

/** One for each way to spell it: after one of them the other is not offered, unless it may come again. */
function specsOf(option: Option): string[] {
  const { name, short, many, kind, about } = option;
  const behind = behindOption(option);
  const value = behind === undefined ? "" : `:${option.value ?? name}:${actionOf(behind)}`;
  const text = `[${about.replace(/[[\]]/g, "\\$&").replaceAll(":", "\\:")}]${value}`;
  const names = [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
  const repeats = many !== undefined || kind === "count";
  return names.map((one) => `${repeats ? "*" : names.length > 1 ? `(${names.join(" ")})` : ""}${one}${text}`);
}

function behind(command: Command): string[] {
  const completed = behindCommand(command);
  if (completed === "program") return ["(-)1:command:_command_names -e", "*::arguments:_normal"];
  return completed === "nothing" ? [] : [`*:${command.arguments[0]!.name}:${actionOf(completed)}`];
}

function actionOf(completed: Completed): string {
  if (completed === "files") return "_files";
  if (completed === "folders") return "_files -/";
  return completed === "nothing" ? " " : `(${(completed as readonly string[]).join(" ")})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
