/**
 * Runs the test suite on Node (vitest), Deno (`deno test`) and Bun (`bun test`), and adds up what they report.
 *
 *     node tools/test.ts [--runtime=node|deno|bun]... [--name=<pattern>] [part of a path]...
 *
 * `*.test.ts` runs everywhere, `*.node.test.ts`, `*.deno.test.ts` and `*.bun.test.ts` on one runtime.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type Counts, readJunit } from "./junit.ts";

const RUNTIMES = ["node", "deno", "bun"] as const;
type Runtime = typeof RUNTIMES[number];

interface Outcome extends Counts {
  runtime: Runtime;
  files: number;
  seconds: number;
  /** Tests that failed, and passed when their files ran once more by themselves. */
  unsteady: string[];
}

/** A runtime that has not ended by then is stuck. */
const PATIENCE_MS = 15 * 60_000;
/** For one test. Generous: the machine that runs this may be slow and busy. */
const TEST_TIMEOUT_MS = 30_000;
const JOBS = 2;
/** So many files with failures may run once more: what is broken fails again, and what is unsteady is named in the report. */
const SECOND_CHANCES = 2;

const root = resolve(import.meta.dirname, "..");
process.chdir(root);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runtime: { type: "string", multiple: true, default: [] }, name: { type: "string", short: "t" } },
});
const runtimes = RUNTIMES.filter((it) => values.runtime.length === 0 || values.runtime.includes(it));
if (runtimes.length === 0) throw new Error(`--runtime takes ${RUNTIMES.join(", ")}, not ${values.runtime}`);

const outcomes: Outcome[] = [];
for (const runtime of runtimes) outcomes.push(await runOn(runtime));
report(outcomes);

async function runOn(runtime: Runtime): Promise<Outcome> {
  const files = testFiles(runtime);
  const outcome: Outcome = { runtime, files: files.length, passed: 0, failed: 0, skipped: 0, seconds: 0, unsteady: [] };
  if (files.length === 0) return outcome;

  console.log(`\n== ${runtime}: ${files.length} test files`);
  const start = performance.now();
  const first = await runFiles(runtime, files);
  Object.assign(outcome, first.counts);
  const again = first.failed && process.env.CI !== undefined ? [...first.failing] : [];
  if (again.length > 0 && again.length <= SECOND_CHANCES) {
    console.log(`\n== ${runtime}, once more: ${again.join(", ")}`);
    const second = await runFiles(runtime, again);
    if (!second.failed) {
      outcome.unsteady = first.names;
      outcome.passed += outcome.failed;
      outcome.failed = 0;
    }
  }
  outcome.seconds = (performance.now() - start) / 1000;
  return outcome;
}

/** Runs test files on a runtime: what became of them, and which of them failed. */
async function runFiles(runtime: Runtime, files: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "flowtape-test-"));
  const path = join(folder, "junit.xml");
  const code = await execute(command(runtime, files, path));
  const { counts, failing, names, seen } = readJunit(path, files);
  rmSync(folder, { recursive: true });
  // A file that cannot be loaded, or an error outside of every test, appears in no count.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  // Nor does a file that cannot be loaded appear by its name.
  const unseen = code === 0 || failing.size === 0 ? [] : files.filter((file) => !seen.has(file));
  return { counts, failed: code !== 0, names, failing: new Set([...failing, ...unseen]) };
}

function testFiles(runtime: Runtime): string[] {
  const others = RUNTIMES.filter((it) => it !== runtime);
  return globSync("test/**/*.test.ts")
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !others.some((other) => path.endsWith(`.${other}.test.ts`)))
    .filter((path) => positionals.length === 0 || positionals.some((part) => path.includes(part.replace(/^\.\//, ""))))
    .sort();
}

function command(runtime: Runtime, files: string[], junit: string): [string, ...string[]] {
  const name = values.name;
  switch (runtime) {
    case "node":
      return [
        process.execPath,
        "node_modules/vitest/vitest.mjs",
        "run",
        "--reporter=default",
        "--reporter=junit",
        `--outputFile.junit=${junit}`,
        `--testTimeout=${TEST_TIMEOUT_MS}`,
        `--hookTimeout=${TEST_TIMEOUT_MS}`,
        `--maxWorkers=${JOBS}`,
        ...(name ? ["-t", name] : []),
        ...files,
      ];
    case "deno":
      return [
        "node_modules/.bin/deno",
        "test",
        "--allow-all",
        "--no-check",
        "--parallel",
        "--sanitize-ops",
        "--sanitize-resources",
        "--import-map=tools/import_map.json",
        `--junit-path=${junit}`,
        ...(name ? [`--filter=/${name}/`] : []),
        ...files,
      ];
    case "bun":
      return [
        "node_modules/.bin/bun",
        "test",
        "--preload=./test/support/vitest_for_bun.ts",
        "--only-failures",
        "--reporter=junit",
        `--reporter-outfile=${junit}`,
        `--timeout=${TEST_TIMEOUT_MS}`,
        `--parallel=${JOBS}`,
        ...(name ? ["-t", name] : []),
        ...files.map((file) => `./${file}`),
      ];
  }
}

/** Runs a command to its end, showing what it prints except for the tests that pass. */
async function execute([program, ...args]: [string, ...string[]]): Promise<number> {
  const env = { ...process.env, DENO_JOBS: `${JOBS}`, TEST_TIMEOUT: `${TEST_TIMEOUT_MS}` };
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  const watchdog = setTimeout(() => {
    console.error(`${program} has not ended after ${PATIENCE_MS / 60_000} minutes: killed`);
    child.kill("SIGKILL");
  }, PATIENCE_MS);
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  const passing = /^(\S+ => )?.+ \.\.\. (ok|ignored) \(.*\)$/;
  for await (const line of createInterface({ input: child.stdout })) {
    // deno-lint-ignore no-control-regex
    if (!passing.test(line.replace(/\x1b\[[\d;]*m/g, ""))) console.log(line);
  }
  const code = await ended;
  clearTimeout(watchdog);
  return code;
}

function report(outcomes: Outcome[]): void {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const row = (...cells: unknown[]) =>
    console.log(cells.map((cell, i) => i === 0 ? String(cell).padEnd(8) : String(cell).padStart(9)).join(""));
  console.log();
  row("runtime", "files", "passed", "failed", "skipped", "seconds");
  for (const { runtime, files, passed, failed, skipped, seconds } of outcomes) {
    row(runtime, files, passed, failed, skipped, seconds.toFixed(1));
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  // Where paths are given, they may be of tests for another runtime.
  const ran = outcomes.filter((it) => it.passed + it.failed > 0);
  const idle = outcomes.filter((it) =>
    !ran.includes(it) && (it.files > 0 || positionals.length === 0 || ran.length === 0)
  );
  if (idle.length) console.log(`\nNo test ran on: ${idle.map((it) => it.runtime).join(", ")}.`);
  for (const { runtime, unsteady } of outcomes) {
    for (const name of unsteady) console.log(`\nunsteady on ${runtime}, passed the second time: ${name}`);
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed || idle.length ? 1 : 0;
}
