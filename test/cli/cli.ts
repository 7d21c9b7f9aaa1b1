/**
 * Runs the command `flowtape` as its users do, on the runtime of the test; and within this process, where only words matter.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { PassThrough } from "node:stream";
import { clearTimeout, setTimeout } from "node:timers";
import { fileURLToPath } from "node:url";
import { runCli } from "../../src/cli/run_cli.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { run, type RunOptions, type RunResult } from "../support/run.ts";
import { runtime, runtimePath } from "../support/runtime.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const MAIN = path("../../src/cli/main.ts");
const MAP = path("../../tools/import_map.json");

/** A process that has more to do than to start gets as much time as a busy machine needs. */
const PATIENCE_MS = 60_000;

/** For tests that start processes: it only bounds a hang. */
export const LONG_MS = 180_000;

/** The program and the arguments that are `flowtape` here. */
export function commandLine(...args: string[]): [program: string, ...args: string[]] {
  const options = runtime === "deno" ? ["run", "--allow-all", "--quiet", "--no-check", `--import-map=${MAP}`] : [];
  return [runtimePath(runtime), ...options, MAIN, ...args];
}

/** Variables of whoever runs the tests that mean something to flowtape. */
const PLAIN = { CI: undefined, FLOWTAPE_MODE: undefined, FLOWTAPE_USAGE: undefined, FLOWTAPE_CA_DIR: undefined };

/** Runs `flowtape` to its end. */
export async function flowtape(args: string[], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...rest] = commandLine(...args);
  return await run(program, rest, { timeoutMs: PATIENCE_MS, ...options, env: { ...PLAIN, ...options.env } });
}

/** A program that runs. */
export interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  /** Sends it a signal. */
  kill(signal: NodeJS.Signals): void;
  /** Types. */
  type(text: string): void;
  /** What it has said since the last time, as soon as that holds what is looked for. */
  said(what: RegExp, where?: "stdout" | "stderr"): Promise<string>;
  /** How it ends. */
  readonly over: Promise<{ code: number | null; signal: string | null }>;
}

/** How to start a program. */
export interface StartOptions {
  cwd?: string;
  env?: Record<string, string | undefined>;
  /** On a pseudo terminal, which shows both streams as one: `stdout`. */
  terminal?: boolean;
}

/** Starts `flowtape`. */
export function startFlowtape(args: string[], options: StartOptions = {}): Running {
  return start(commandLine(...args), options);
}

/** Starts a program. */
export function start(command: readonly string[], options: StartOptions = {}): Running {
  const [program, ...args] = options.terminal ? ["python3", path("on_a_terminal.py"), ...command] : command;
  const variables = Object.entries({ ...process.env, ...PLAIN, ...options.env }).filter(([, it]) => it !== undefined);
  const child = spawn(program!, args, {
    cwd: options.cwd,
    env: Object.fromEntries(variables) as NodeJS.ProcessEnv,
    stdio: "pipe",
  });
  const heard = { stdout: "", stderr: "" };
  const read = { stdout: 0, stderr: 0 };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]!.setEncoding("utf8").on("data", (text: string) => {
      heard[name] += text.replaceAll("\r\n", "\n");
      for (const listener of [...listeners]) listener();
    });
  }
  child.stdin!.on("error", () => {});
  const over = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  over.catch(() => {});
  return {
    child,
    over,
    get stdout() {
      return heard.stdout;
    },
    get stderr() {
      return heard.stderr;
    },
    // Not child.kill(): Deno then says that the signal has ended it, whatever it did.
    kill: (signal) => void process.kill(child.pid!, signal),
    type: (text) => void child.stdin!.write(text),
    said(what, where = "stdout") {
      return new Promise((resolve, reject) => {
        const settle = () => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        const look = () => {
          const found = what.exec(heard[where].slice(read[where]));
          if (found === null) return;
          const text = heard[where].slice(read[where], read[where] + found.index + found[0].length);
          read[where] += text.length;
          settle();
          resolve(text);
        };
        const timer = setTimeout(() => {
          settle();
          reject(new Error(`${what} was not said: ${JSON.stringify(heard)}`));
        }, PATIENCE_MS);
        listeners.add(look);
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await over.catch(() => {});
    },
  };
}

/** What was said by a command within this process. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** Carries out a command line within this process. */
export async function within(args: string[], env: Record<string, string> = {}): Promise<Said> {
  const said: Said = { code: 0, stdout: "", stderr: "" };
  const { PATH } = process.env;
  const terminal: Terminal = {
    env: { PATH, ...env },
    input: new PassThrough().end(),
    isTerminal: { input: false, output: false, errors: false },
    width: 100,
    write: (text) => void (said.stdout += text),
    tell: (text) => void (said.stderr += text),
    status: () => {},
    onSignal: () => () => {},
  };
  said.code = await runCli(args, terminal);
  return said;
}
