/**
 * `flowtape help`
 *
 * @module
 */
import { didYouMean } from "../../flow/suggest.ts";
import { EXIT } from "../exit_codes.ts";
import type { Given } from "../given.ts";
import { helpOf, overview } from "../help.ts";
import { commandNamed, COMMANDS } from "../table.ts";
import type { Terminal } from "../terminal.ts";

/** Carries it out. */
export function run(given: Given, terminal: Terminal): Promise<number> {
  const [name] = given.args;
  const command = name === undefined ? undefined : commandNamed(name);
  if (name !== undefined && command === undefined) {
    const names = COMMANDS.map((one) => one.name);
    throw given.wrong(`flowtape does not know the command ${JSON.stringify(name)}${didYouMean(name, names)}`);
  }
  terminal.write(command === undefined ? overview() : helpOf(command));
  return Promise.resolve(EXIT.ok);
}
