#!/usr/bin/env node
/**
 * The command `flowtape`: `npx flowtape`, `bunx flowtape`, `deno run -A jsr:@flowtape/flowtape/cli`. It is run, not imported.
 *
 * @module
 */
import process from "node:process";
import { EXIT, exitCodeOf } from "./exit_codes.ts";
import { runCli } from "./run_cli.ts";
import { printable, processTerminal } from "./terminal.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Nobody reads what is said: other programs die of SIGPIPE then.
    process.exit(error.code === "EPIPE" ? exitCodeOf("SIGPIPE") : 1);
  });
}

// What a file of rules does outside of a hook must not leave the command without its proxy.
let mistakes = 0;
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    mistakes++;
    process.stderr.write(
      `flowtape: not caught: ${printable(error instanceof Error ? error.message : String(error))}\n`,
    );
  });
}

void runCli(process.argv.slice(2), processTerminal()).then(async (code) => {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((done) => stream.write("", () => done()));
  }
  // What a file of rules imports may keep the process alive.
  process.exit(code === EXIT.ok && mistakes > 0 ? EXIT.internal : code);
});
