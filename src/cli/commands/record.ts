/**
 * `flowtape record`: runs a program and records its traffic.
 *
 * @module
 */
import { runSession } from "../child/session.ts";
import type { Given } from "../given.ts";
import type { Terminal } from "../terminal.ts";

/** Carries it out. */
export async function run(given: Given, terminal: Terminal): Promise<number> {
  return await runSession(given, terminal, {
    tape: {
      ...(given.text("tape") === undefined ? {} : { path: given.text("tape")! }),
      mode: given.flag("missing") ? "auto" : "record",
      ...(given.flag("times") ? { times: true } : {}),
    },
    defaultTape: "flowtape.har",
    discardOnFailure: ({ exitCode }) => given.flag("only-on-success") && exitCode !== 0,
  });
}
