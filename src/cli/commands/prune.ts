/**
 * `flowtape prune`: tapes that no test uses.
 *
 * @module
 */
import { access } from "node:fs/promises";
import { prune, type PruneOptions } from "../../tape/mod.ts";
import { EXIT } from "../exit_codes.ts";
import { CliError } from "../failure.ts";
import type { Given } from "../given.ts";
import { progress } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { count } from "./convert.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  const [folder = ""] = given.args;
  const usage = given.text("usage") ?? terminal.env["FLOWTAPE_USAGE"];
  const remove = given.flag("remove");
  if (usage !== undefined) {
    await access(usage).catch((cause) => {
      const how = `run all tests with FLOWTAPE_USAGE=${usage} in the environment`;
      throw new CliError(EXIT.noInput, `there is no list of used tapes ${usage}: ${how}`, { cause });
    });
  }
  using telling = progress(terminal, `looking for tapes in ${folder}`);
  const options: PruneOptions = { remove, ...(usage === undefined ? {} : { usage }) };
  const unused = await prune(folder, options);
  telling[Symbol.dispose]();
  if (given.flag("json")) terminal.write(`${JSON.stringify({ folder, unused, removed: remove })}\n`);
  else {
    for (const path of unused) terminal.write(`${path}\n`);
    const what = `${count(unused.length, "tape")} ${unused.length === 1 ? "is" : "are"} used by no test`;
    terminal.tell(
      `flowtape: ${what}${unused.length === 0 ? "" : remove ? ", removed" : "; --remove removes what is listed"}\n`,
    );
  }
  return EXIT.ok;
}
