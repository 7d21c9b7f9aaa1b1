/**
 * `flowtape convert`: recordings of other tools as tapes; tapes as one HAR file or as the source of MSW handlers.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { exportHar, importTape, toMswSource, writeTape } from "../../tape/mod.ts";
import { EXIT } from "../exit_codes.ts";
import type { Given } from "../given.ts";
import { prepareOutput } from "../output_file.ts";
import { progress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  const [from = "", to = ""] = given.args;
  const format = given.text("to") ?? (/^\.[cm]?[jt]s$/.test(extname(to)) ? "msw" : "tape");
  if (format !== "msw" && extname(to) !== ".har") {
    throw given.wrong(
      `flowtape convert: a tape is a .har file, and ${to} is none; --to msw writes the source of MSW handlers`,
    );
  }
  await prepareOutput(to, given);
  using telling = progress(terminal, `reading ${from}`);
  const tape = await importTape(from, {
    ...(given.text("origin") === undefined ? {} : { origin: given.text("origin")! }),
    ...(given.text("inexact") === undefined ? {} : { inexact: given.text("inexact") as "fail" | "leave" }),
  });
  telling.step(`writing ${to}`);
  if (format === "tape") await writeTape(to, tape);
  else if (format === "har") await exportHar(tape, to);
  else await writeFile(to, await toMswSource(tape));
  telling[Symbol.dispose]();
  const { description, entries, notes } = tape;
  if (given.flag("json")) {
    terminal.write(`${JSON.stringify({ from, description, entries: entries.length, to, format, notes })}\n`);
  } else {
    for (const note of notes) terminal.tell(`flowtape: ${note}\n`);
    terminal.tell(`flowtape: ${from} is ${description}: ${count(entries.length, "exchange")} written to ${to}\n`);
  }
  return EXIT.ok;
}

/** `1 exchange`, `2 exchanges` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
