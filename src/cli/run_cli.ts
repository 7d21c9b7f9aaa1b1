/**
 * The command line: finds the command, reads its options, carries it out, and says what went wrong.
 *
 * @module
 */
import { suggest } from "../flow/suggest.ts";
import type { Command } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { failureOf, UsageError } from "./failure.ts";
import { helpOf, overview } from "./help.ts";
import { asksForHelp, parse } from "./parse.ts";
import { commandNamed, COMMANDS, isRunner } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";

/** Carries out a command line, and gives the exit code. It never rejects. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await carryOut(args, terminal);
  } catch (error) {
    return fail(error, args, terminal);
  }
}

async function carryOut(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    terminal.tell(overview());
    return EXIT.usage;
  }
  if (name === "--version" || name === "-V" || name === "version") {
    terminal.write(`${VERSION}\n`);
    return EXIT.ok;
  }
  if (name === "--help" || name === "-h") return await carryOut(["help", ...rest], terminal);
  const command = commandNamed(name) ?? unknown(name);
  if (asksForHelp(command, rest)) {
    terminal.write(helpOf(command));
    return EXIT.ok;
  }
  const given = parse(command, rest);
  const { run } = await command.load();
  return await run(given, terminal);
}

function unknown(name: string): never {
  const names = COMMANDS.map((command) => command.name);
  if (name.startsWith("-")) throw new UsageError(`flowtape does not know ${name}: a command is expected first`);
  const meant = suggest(name, names) ?? MEANT[name.toLowerCase()];
  const hint = meant === undefined ? `; there are ${names.join(", ")}` : `; did you mean flowtape ${meant}?`;
  throw new UsageError(`flowtape does not know the command ${JSON.stringify(name)}${hint}`);
}

/** What other tools call it. */
const MEANT: Readonly<Record<string, string>> = {
  play: "replay",
  playback: "replay",
  capture: "record",
  exec: "run",
  mock: "run",
  serve: "proxy",
  start: "proxy",
  listen: "proxy",
  show: "view",
  open: "view",
  report: "view",
  list: "stats",
  ls: "stats",
  import: "convert",
  export: "convert",
  join: "merge",
  clean: "prune",
  cert: "ca",
  certs: "ca",
  completion: "completions",
};

function fail(error: unknown, args: readonly string[], terminal: Terminal): number {
  const { exitCode, code, message } = failureOf(error);
  terminal.tell(`${message.startsWith("flowtape ") ? "" : "flowtape: "}${message}\n`);
  if (terminal.env["FLOWTAPE_DEBUG"] && error instanceof Error) terminal.tell(`${error.stack}\n`);
  if (wantsJson(args)) terminal.write(`${JSON.stringify({ error: { code, message, exitCode } })}\n`);
  return exitCode;
}

/** The standard output stream belongs to the command where there is one. */
function wantsJson(args: readonly string[]): boolean {
  const command: Command | undefined = commandNamed(args[0] ?? "");
  if (command?.json === undefined || isRunner(command)) return false;
  return args.includes("--json");
}
