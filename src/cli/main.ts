#!/usr/bin/env node
/**
 * The command `flowtape`: `npx flowtape`, `bunx flowtape`, `deno run -A jsr:@flowtape/flowtape/cli`. It is run, not imported.
 *
 * @module
 */
import process from "node:process";
import { exitCodeOf } from "./exit_codes.ts";
import { runCli } from "./run_cli.ts";
import { processTerminal } from "./terminal.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Nobody reads what is said: other programs die of SIGPIPE then.
    process.exit(error.code === "EPIPE" ? exitCodeOf("SIGPIPE") : 1);
  });
}

void runCli(process.argv.slice(2), processTerminal()).then(async (code) => {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((done) => stream.write("", () => done()));
  }
  // What a file of rules imports may keep the process alive.
  process.exit(code);
});
