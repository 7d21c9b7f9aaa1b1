/**
 * `flowtape merge`: one tape of several.
 *
 * @module
 */
import { merge, readTape, type Tape, writeTape } from "../../tape/mod.ts";
import { EXIT } from "../exit_codes.ts";
import type { Given } from "../given.ts";
import { prepareOutput } from "../output_file.ts";
import { progress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { count } from "./convert.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  const paths = given.args;
  const output = given.text("output");
  if (output === undefined) throw given.wrong("flowtape merge: --output is missing: the tape to write");
  if (!output.endsWith(".har")) throw given.wrong(`flowtape merge: a tape is a .har file, and ${output} is none`);
  await prepareOutput(output, given);
  using telling = progress(terminal, "reading");
  const tapes: Tape[] = [];
  for (const [i, path] of paths.entries()) {
    telling.step(`reading ${path} (${i + 1} of ${paths.length})`);
    tapes.push(await readTape(path));
  }
  telling.step(`writing ${output}`);
  const merged = merge(tapes);
  await writeTape(output, merged);
  telling[Symbol.dispose]();
  const read = tapes.reduce((sum, { entries }) => sum + entries.length, 0);
  const entries = merged.entries.length;
  if (given.flag("json")) terminal.write(`${JSON.stringify({ tapes: paths, read, entries, output })}\n`);
  else {
    const twice = read > entries ? `, ${read - entries} of ${read} were there twice` : "";
    terminal.tell(
      `flowtape: ${count(entries, "exchange")} of ${count(paths.length, "tape")} written to ${output}${twice}\n`,
    );
  }
  return EXIT.ok;
}
