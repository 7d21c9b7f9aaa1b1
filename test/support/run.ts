/**
 * Runs child processes: any program, or a `fetch` in one of the three runtimes.
 *
 * @module
 */

import { spawn } from "node:child_process";
import process from "node:process";
import { type Runtime, runtimePath } from "./runtime.ts";

/** How to run a program. */
export interface RunOptions {
  /** Added to this process's own variables; `undefined` takes one away. */
  env?: Record<string, string | undefined>;
  /** Written to its standard input, which is then closed. */
  input?: string;
  /** Its working folder. Default: ours. */
  cwd?: string;
  /** Milliseconds until it is killed and `run` rejects. Default: 20,000. */
  timeoutMs?: number;
}

/** What became of a program. */
export interface RunResult {
  /** Its exit code; null when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end and collects what it prints. A non-zero exit code does not reject. */
export async function run(command: string, args: string[] = [], options: RunOptions = {}): Promise<RunResult> {
  const { env = {}, input, cwd, timeoutMs = 20_000 } = options;
  const variables = Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== undefined);
  const child = spawn(command, args, { env: Object.fromEntries(variables), cwd, stdio: "pipe" });
  const result: RunResult = { code: null, stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => result[name] += text);
  }
  const closed = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      result.code = code;
      resolve();
    });
  });
  // A program that does not read its input may close it first.
  child.stdin.on("error", () => {}).end(input);

  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  try {
    await closed;
  } finally {
    clearTimeout(timer);
  }
  if (late) throw new Error(`${command} was killed after ${timeoutMs} ms\n${result.stdout}\n${result.stderr}`);
  return result;
}

/** A response as a child process saw it. */
export interface FetchedResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const FETCH = `
const response = await fetch(process.argv.at(-1));
const headers = Object.fromEntries(response.headers);
console.log(JSON.stringify({ status: response.status, headers, body: await response.text() }));
`;

/**
 * Fetches a URL in a child process: `await fetchIn("deno", url, { env: proxy.env() })`.
 *
 * Rejects with what the child printed if its `fetch` rejected.
 */
export async function fetchIn(runtime: Runtime, url: string, options: RunOptions = {}): Promise<FetchedResponse> {
  const args = {
    node: ["--input-type=module", "--eval", FETCH, "--", url],
    deno: ["eval", "--no-config", `import process from "node:process";${FETCH}`, url],
    bun: ["--eval", FETCH, url],
  };
  const { code, stdout, stderr } = await run(runtimePath(runtime), args[runtime], options);
  if (code !== 0) throw new Error(`fetch in ${runtime} failed: ${stderr || stdout}`);
  return JSON.parse(stdout) as FetchedResponse;
}
