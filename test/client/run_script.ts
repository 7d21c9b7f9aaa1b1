/**
 * Runs a script of this folder in a process of its own, on the runtime of the test.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { run, type RunOptions } from "../support/run.ts";
import { runtime, runtimePath } from "../support/runtime.ts";

/** What it prints, read as JSON. */
export async function runScript(name: string, args: string[] = [], options: RunOptions = {}): Promise<unknown> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const script = fileURLToPath(new URL(name, import.meta.url));
  const before = {
    node: ["--no-warnings"],
    deno: ["run", "--quiet", "--allow-all", "--no-check", `--import-map=${root}tools/import_map.json`],
    bun: [],
  };
  const { stdout, stderr, code } = await run(runtimePath(runtime), [...before[runtime], script, ...args], {
    cwd: root,
    timeoutMs: 60_000,
    ...options,
  });
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout);
}
