/**
 * Completions for bash, of which that of macOS is version 3.2 and has no mapfile.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { COMMANDS, optionsOf } from "../table.ts";
import { behindCommand, behindOption, spellings } from "./values.ts";

/** The script. */
export function bashCompletions(): string {
  const names = COMMANDS.map(({ name }) => name);
  return `# Completions of flowtape for bash: source <(flowtape completions bash)
_flowtape() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" i
  # Bash takes --tape=a.har apart at the equals sign.
  if [[ $cur == "=" ]]; then cur=""
  elif [[ $prev == "=" ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${[...names, "--version", "--help"].join(" ")}" -- "$cur"))
    return
  fi
  # Behind --, the command to run has completions of its own.
  for ((i = 2; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} == -- ]]; then
      if declare -F _command_offset >/dev/null; then _command_offset $((i + 1))
      elif ((COMP_CWORD == i + 1)); then COMPREPLY=($(compgen -c -- "$cur")); fi
      return
    fi
  done
  # An empty answer means the names of files.
  case "\${COMP_WORDS[1]}" in
${COMMANDS.map(branchOf).join("\n")}
  esac
}
complete -o default -F _flowtape flowtape
`;
}

function branchOf(command: Command): string {
  const options = optionsOf(command);
  const cases = options.flatMap((option) => {
    const behind = behindOption(option);
    if (behind === undefined) return [];
    return [
      `        ${spellings(option).join("|")}) ${
        typeof behind === "string" ? "return" : `${reply(behind)}; return`
      } ;;`,
    ];
  });
  const words = options.map(({ name }) => `--${name}`);
  const behind = behindCommand(command);
  const rest = behind === "program"
    ? ['      elif [[ -z $cur ]]; then COMPREPLY=("--")']
    : typeof behind === "string"
    ? []
    : [`      else ${reply(behind)}`];
  return [
    `    ${command.name})`,
    ...(cases.length === 0 ? [] : ["      case $prev in", ...cases, "      esac"]),
    `      if [[ $cur == -* ]]; then ${reply(words)}`,
    ...rest,
    "      fi ;;",
  ].join("\n");
}

function reply(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W "${words.join(" ")}" -- "$cur"))`;
}
