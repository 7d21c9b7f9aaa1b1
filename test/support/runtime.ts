/**
 * Where this test runs, and the executables of all three runtimes.
 *
 * @module
 */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A runtime of this suite. */
export type Runtime = "node" | "deno" | "bun";

/** All of them, for `test.each(RUNTIMES)`. */
export const RUNTIMES: readonly Runtime[] = ["node", "deno", "bun"];

/** The one that runs this test: `test.skipIf(runtime === "bun")(...)`. */
export const runtime: Runtime = "deno" in process.versions ? "deno" : "bun" in process.versions ? "bun" : "node";

const bin = fileURLToPath(new URL("../../node_modules/.bin/", import.meta.url));

/** The executable of a runtime, as installed with this package. */
export function runtimePath(name: Runtime): string {
  return join(bin, name);
}

/** Whether a program is installed: `test.runIf(hasCommand("curl"))(...)`. */
export function hasCommand(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
