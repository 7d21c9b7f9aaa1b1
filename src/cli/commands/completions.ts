/**
 * `flowtape completions`
 *
 * @module
 */
import { bashCompletions } from "../completions/bash.ts";
import { fishCompletions } from "../completions/fish.ts";
import { zshCompletions } from "../completions/zsh.ts";
import { EXIT } from "../exit_codes.ts";
import type { Given } from "../given.ts";
import type { Terminal } from "../terminal.ts";

const WRITERS: Readonly<Record<string, () => string>> = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
};

/** Carries it out. */
export function run(given: Given, terminal: Terminal): Promise<number> {
  terminal.write(WRITERS[given.args[0]!]!());
  return Promise.resolve(EXIT.ok);
}
