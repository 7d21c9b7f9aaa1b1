/**
 * `flowtape run`: runs a program behind a proxy with rules.
 *
 * @module
 */
import type { TapeMode } from "../../tape/options.ts";
import { runSession } from "../child/session.ts";
import type { Given } from "../given.ts";
import type { Terminal } from "../terminal.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  const mode = given.text("mode") as TapeMode | undefined;
  const path = given.text("tape");
  return await runSession(given, terminal, {
    tape: { ...(path === undefined ? {} : { path }), ...(mode === undefined ? {} : { mode }) },
    discardOnFailure: () => false,
  });
}
