/**
 * Reads a command line by the table of commands.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { didYouMean, suggest } from "../flow/suggest.ts";
import type { Argument, Command, Option } from "./command.ts";
import { UsageError } from "./failure.ts";
import { Given } from "./given.ts";
import { isRunner, optionsOf } from "./table.ts";

/**
 * Reads what stands behind the name of a command.
 *
 * @throws {UsageError} it is not what the table says; the message says what was meant
 */
export function parse(command: Command, args: readonly string[]): Given {
  const runs = isRunner(command);
  const [own, program] = runs ? divide(command, args) : [args, []];
  const { options, positionals } = readOptions(command, own);
  if (!runs) {
    checkArguments(command, positionals);
  } else {
    if (positionals.length > 0) throw misplaced(command, positionals[0]!);
    if (program.length === 0 && !options.has("help")) {
      throw new UsageError(
        `flowtape ${command.name}: the command to run is missing; it stands behind --: flowtape ${command.name} -- npm test`,
        command.name,
      );
    }
  }
  return new Given(command.name, options, positionals, program);
}

/** Whether somebody asks for help, whatever else is wrong. */
export function asksForHelp(command: Command, args: readonly string[]): boolean {
  const own = isRunner(command) ? divide(command, args)[0] : args.slice(0, indexOrEnd(args, "--"));
  return own.includes("--help") || own.includes("-h");
}

/** What is ours, and the program with its arguments: behind `--`, or from the first word that is no option. */
function divide(command: Command, args: readonly string[]): [own: readonly string[], program: readonly string[]] {
  const end = args.indexOf("--");
  // A `--` behind the program is the program's: npm run build -- --watch.
  const first = firstWord(command, args);
  return end >= 0 && end <= first || end >= 0 && first < end && isPath(args[first]!)
    ? [args.slice(0, end), args.slice(end + 1)]
    : [args.slice(0, first), args.slice(first)];
}

/** The place of the first word that is neither an option nor what an option takes. */
function firstWord(command: Command, args: readonly string[]): number {
  const { tokens } = scan(command, args);
  const first = tokens.find(({ kind }) => kind === "positional" || kind === "option-terminator");
  return first?.index ?? args.length;
}

/** Somebody has forgotten `--tape`: a file of ours is no program. */
function isPath(word: string): boolean {
  return /\.(?:har|json)$/.test(word);
}

function misplaced(command: Command, word: string): UsageError {
  const option = word.endsWith(".har") ? "--tape" : "--rules";
  return new UsageError(
    `flowtape ${command.name} takes no ${JSON.stringify(word)} in front of --; did you mean ${option} ${word}?`,
    command.name,
  );
}

interface Token {
  readonly kind: "option" | "positional" | "option-terminator";
  readonly index: number;
  readonly name?: string;
  readonly rawName?: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function scan(command: Command, args: readonly string[]): { tokens: readonly Token[] } {
  const options = Object.fromEntries(
    optionsOf(command).map(({ name, short, kind }) => [name, {
      type: kind === "flag" || kind === "count" ? "boolean" as const : "string" as const,
      ...(short === undefined ? {} : { short }),
    }]),
  );
  // Not strict: what it says about mistakes is not what was meant.
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
}

function readOptions(command: Command, args: readonly string[]) {
  const options = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of scan(command, args).tokens) {
    if (token.kind === "positional") positionals.push(token.value!);
    if (token.kind !== "option") continue;
    const option = optionsOf(command).find(({ name }) => name === token.name);
    if (option === undefined || (token.rawName!.startsWith("--") && token.rawName !== `--${option.name}`)) {
      throw unknownOption(command, token);
    }
    const values = options.get(option.name) ?? [];
    options.set(option.name, [...values, valueOf(command, option, token, values.length)]);
  }
  return { options, positionals };
}

function valueOf(command: Command, option: Option, { value, rawName, inlineValue }: Token, before: number): string {
  const wrong = (what: string) => new UsageError(`flowtape ${command.name}: ${rawName} ${what}`, command.name);
  const { kind, choices = [], many, range: [min, max] = [0, Infinity] } = option;
  if (kind === "flag" || kind === "count") {
    if (value !== undefined) throw wrong(`takes no value, and was given ${JSON.stringify(value)}`);
    return "";
  }
  if (before > 0 && many === undefined) throw wrong("was given twice");
  if (value === undefined || value === "") throw wrong(`needs <${option.value ?? choices.join("|")}> behind it`);
  // "--tape --json" has forgotten the file.
  if (inlineValue !== true && /^--?[a-z]/.test(value)) {
    throw wrong(
      `needs <${
        option.value ?? choices.join("|")
      }> behind it, and ${value} looks like an option (${rawName}=${value} is taken as it is)`,
    );
  }
  if (kind === "choice" && !choices.includes(value)) {
    throw wrong(`takes ${choices.join(", ")}, not ${JSON.stringify(value)}${didYouMean(value, choices)}`);
  }
  if (kind === "number" && !(/^\d+$/.test(value) && Number(value) >= min && Number(value) <= max)) {
    throw wrong(`takes a whole number from ${min} to ${max}, not ${JSON.stringify(value)}`);
  }
  return value;
}

function unknownOption(command: Command, { rawName = "", name = "" }: Token): UsageError {
  const names = optionsOf(command).map((option) => option.name);
  const meant = suggest(name, names) ?? names.find((one) => name.length > 2 && one.startsWith(name));
  const hint = meant === undefined ? "" : `; did you mean --${meant}?`;
  const behind = isRunner(command) && meant === undefined ? "; options of the command to run stand behind --" : "";
  return new UsageError(`flowtape ${command.name} does not know ${rawName}${hint}${behind}`, command.name);
}

function checkArguments(command: Command, given: readonly string[]): void {
  const wrong = (message: string) => new UsageError(`flowtape ${command.name}${message}`, command.name);
  let next = 0;
  for (const argument of command.arguments) {
    const { count, name } = argument;
    const needed = count === "one" || count === "some";
    if (needed && given[next] === undefined) throw wrong(`: <${name}> is missing: ${argument.about}`);
    const taken = count === "some" || count === "any" ? given.slice(next) : given.slice(next, next + 1);
    for (const word of taken) checkChoice(command, argument, word);
    next += taken.length;
  }
  if (next < given.length) throw wrong(` does not take ${JSON.stringify(given[next])}${excess(command)}`);
}

function excess({ arguments: expected }: Command): string {
  return expected.length === 0 ? "; it takes options only" : ` behind <${expected.at(-1)!.name}>`;
}

function checkChoice({ name }: Command, { choices }: Argument, word: string): void {
  if (choices === undefined || choices.includes(word)) return;
  throw new UsageError(
    `flowtape ${name} takes ${choices.join(", ")}, not ${JSON.stringify(word)}${didYouMean(word, choices)}`,
    name,
  );
}

function indexOrEnd(list: readonly string[], word: string): number {
  const at = list.indexOf(word);
  return at < 0 ? list.length : at;
}
