/**
 * `flowtape stats`: what there is on tapes.
 *
 * @module
 */
import { stats } from "../../tape/mod.ts";
import { EXIT } from "../exit_codes.ts";
import type { Given } from "../given.ts";
import { progress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  const paths = given.args.length === 0 ? ["."] : given.args;
  using telling = progress(terminal, "counting");
  const all = await stats(paths);
  telling[Symbol.dispose]();
  const { tapes, entries, bytes, saved, hosts } = all;
  if (given.flag("json")) {
    const rows = tapes.map((tape) => ({ ...tape, recorded: tape.recorded ?? null }));
    terminal.write(`${JSON.stringify({ tapes: rows, entries, bytes, saved, hosts })}\n`);
  } else terminal.write(`${all}\n`);
  return EXIT.ok;
}
