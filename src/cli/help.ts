/**
 * Help, made of the table of commands.
 *
 * @module
 */
import type { Argument, Command, Option } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { COMMANDS, optionsOf } from "./table.ts";

/** What `flowtape help` says. */
export function overview(): string {
  return [
    "flowtape: records, replays, mocks and explains network traffic",
    "",
    "usage: flowtape <command> [options]",
    "",
    "commands:",
    ...columns(COMMANDS.map(({ name, about }) => [name, about])),
    "",
    "options:",
    ...columns([["--version", "says which version this is"], ["--help, -h", "the same as flowtape help [command]"]]),
    "",
    "examples:",
    ...EXAMPLES.map((line) => `  ${line}`),
    "",
    "exit codes:",
    ...columns(EXIT_CODES.map(([code, meaning]) => [code, meaning])),
    "",
  ].join("\n");
}

/** What `flowtape help <command>` says. */
export function helpOf(command: Command): string {
  const behind = command.arguments.map((argument) => [usageOf(argument), argument.about] as const);
  return [
    `flowtape ${command.name}: ${command.about}`,
    "",
    `usage: ${usageLine(command)}`,
    ...(command.more ?? []).flatMap((paragraph) => ["", ...wrapped(paragraph, WIDTH)]),
    ...(behind.length === 0 ? [] : ["", "arguments:", ...columns(behind)]),
    "",
    "options:",
    ...columns(optionsOf(command).map((option) => [optionUsage(option), aboutOption(option)])),
    "",
    "examples:",
    ...command.examples.flatMap(([line, about]) => [`  ${line}`, `      ${about}`]),
    "",
  ].join("\n");
}

/** `flowtape record [options] -- <command>` */
export function usageLine(command: Command): string {
  const behind = command.arguments.map(usageOf).map((text) => ` ${text}`).join("");
  return `flowtape ${command.name}${
    command.options.length === 0 && command.json === undefined ? "" : " [options]"
  }${behind}`;
}

/** `--tape, -t <file>` */
export function optionUsage({ name, short, kind, value, choices }: Option): string {
  const behind = kind === "flag" || kind === "count" ? "" : ` <${value ?? choices!.join("|")}>`;
  return `--${name}${short === undefined ? "" : `, -${short}`}${behind}`;
}

/** What an option does, and what holds without it. */
export function aboutOption({ about, fallback, many }: Option): string {
  return `${about}${many === undefined ? "" : " May be given several times."}${
    fallback === undefined ? "" : ` Default: ${fallback}.`
  }`;
}

const EXAMPLES = [
  "flowtape record -- npm test",
  "flowtape replay -- npm test",
  "flowtape view flowtape.har --open",
];

const WIDTH = 100;

function usageOf({ name, count }: Argument): string {
  switch (count) {
    case "one":
      return `<${name}>`;
    case "optional":
      return `[${name}]`;
    case "some":
      return `<${name}...>`;
    case "any":
      return `[${name}...]`;
    case "command":
      return `-- <${name}>`;
  }
}

/** Two columns; what is too long for the first has a line of its own. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const room = Math.min(26, Math.max(...rows.map(([first]) => first.length)));
  return rows.flatMap(([first, second]) => {
    const [line = "", ...more] = wrapped(second, WIDTH - room - 4);
    const indent = " ".repeat(room + 4);
    const rest = more.map((one) => indent + one);
    if (first.length > room) return [`  ${first}`, indent + line, ...rest];
    return [`  ${first.padEnd(room)}  ${line}`, ...rest];
  });
}

function wrapped(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
