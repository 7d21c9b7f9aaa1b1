/**
 * Writes what the tables in the source say to where people read it: that of hooks into docs/hooks.md and the doc comments of
 * src/hooks/addon.ts, that of filter operators into docs/filters.md, that of commands into docs/cli.md.
 *
 *     node tools/hook_docs.ts           writes
 *     node tools/hook_docs.ts --check   fails when something there is out of date
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import process from "node:process";
import { EXIT_CODES } from "../src/cli/exit_codes.ts";
import { usageLine } from "../src/cli/help.ts";
import { COMMANDS } from "../src/cli/table.ts";
import { FILTER_OPERATORS } from "../src/flow/filter/operators.ts";
import { type HookEntry, HOOKS } from "../src/hooks/table.ts";

const GROUPS: Readonly<Record<HookEntry["group"], string>> = {
  lifecycle: "The proxy",
  connection: "Connections",
  http: "HTTP",
  websocket: "WebSocket",
  tcp: "TCP",
};

const hooks = Object.entries(HOOKS);

process.chdir(resolve(import.meta.dirname, ".."));
update("docs/hooks.md", (text) => between(between(text, "reference", reference()), "mitmproxy", comparison()));
update("src/hooks/addon.ts", withComments);
update("docs/filters.md", (text) => between(text, "operators", operators()));
update(
  "docs/cli.md",
  (text) => between(between(between(text, "commands", commands()), "exit codes", exitCodes()), "json", jsonMembers()),
);

function update(path: string, edit: (text: string) => string): void {
  const before = readFileSync(path, "utf8");
  const after = edit(before);
  if (after === before) return;
  if (process.argv.includes("--check")) {
    console.error(`${path} does not say what the tables in the source say: run node tools/hook_docs.ts`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, after);
  }
}

/** A text with another content between two marks. */
function between(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: written by tools/hook_docs.ts -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the marks of ${name} are missing`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

function reference(): string {
  return Object.entries(GROUPS).map(([group, title]) => {
    const rows = hooks.filter(([, entry]) => entry.group === group).map(([name, { when, guarantees, mayChange }]) => {
      return row(`\`${name}\``, when, guarantees, mayChange);
    });
    return [`### ${title}`, "", row("hook", "when", "what is sure", "what may be changed"), row(..."----"), ...rows]
      .join("\n");
  }).join("\n\n");
}

function comparison(): string {
  const rows = hooks.map(([name, { mitmproxy }]) => row(`\`${name}\``, mitmproxy));
  return [row("hook", "in mitmproxy"), row(..."--"), ...rows].join("\n");
}

function operators(): string {
  const rows = Object.entries(FILTER_OPERATORS).map(([name, { argument, finds }]) => {
    const behind = argument === "none" ? "" : argument === "number" ? " 404" : " regex";
    return row(`\`~${name}${behind}\``, finds);
  });
  return [row("operator", "finds"), row(..."--"), ...rows].join("\n");
}

function commands(): string {
  const rows = COMMANDS.map((command) => row(`\`${usageLine(command)}\``, command.about));
  return [row("command", ""), row(..."--"), ...rows].join("\n");
}

function exitCodes(): string {
  return [row("code", ""), row(..."--"), ...EXIT_CODES.map(([code, meaning]) => row(code, meaning))].join("\n");
}

function jsonMembers(): string {
  // What proxy writes are several kinds of objects.
  const rows = COMMANDS.filter(({ name, json }) => json !== undefined && name !== "proxy")
    .map(({ name, json }) => row(`\`${name}\``, json!.map((member) => `\`${member}\``).join(", ")));
  return [row("command", "members"), row(..."--"), ...rows].join("\n");
}

function row(...cells: string[]): string {
  const texts = cells.map((cell) => cell === "-" ? "---" : cell.replaceAll("|", "\\|"));
  return `| ${texts.join(" | ")} |`;
}

/** The declaration of each hook with a comment from the table. */
function withComments(source: string): string {
  for (const [name, entry] of hooks) {
    const declaration = new RegExp(`(?:^  /\\*\\*(?:(?!\\*/)[^])*\\*/\\n)?^  ${name}\\?\\(`, "m");
    const found = declaration.exec(source);
    if (found === null) throw new Error(`the hook ${name} is not declared`);
    const end = found.index + found[0].length;
    source = `${source.slice(0, found.index)}${comment(entry)}  ${name}?(${source.slice(end)}`;
  }
  return source;
}

function comment({ when, guarantees, mayChange }: HookEntry): string {
  const parts = [when, `What is sure: ${guarantees}`, `What may be changed: ${mayChange}`];
  const lines = parts.map((part) => wrapped(part).map((line) => `   * ${line}\n`).join(""));
  return `  /**\n${lines.join("   *\n")}   */\n`;
}

function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + word.length > 112) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
