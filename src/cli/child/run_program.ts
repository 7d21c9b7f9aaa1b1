/**
 * Runs a program with our own streams, and passes signals on to it.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { EXIT, exitCodeOf } from "../exit_codes.ts";
import { CliError } from "../failure.ts";
import type { Terminal } from "../terminal.ts";

/** How a program has ended. */
export interface Ended {
  /** Its exit code; 128+n when signal n has ended it. */
  readonly exitCode: number;
  /** The signal that has ended it. */
  readonly signal: string | null;
}

/**
 * Runs a program to its end. With a terminal it is in our own process group: it may read from the terminal, and Ctrl-C reaches it as it
 * reaches us. Without one it has a group of its own, and what signals us is passed on to all of that group.
 *
 * @throws {CliError} 127: there is no such program; 126: it cannot be executed
 */
export async function runProgram(
  [program, ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  terminal: Terminal,
): Promise<Ended> {
  const { input, output, errors } = terminal.isTerminal;
  const shared = input || output || errors || process.platform === "win32";
  let child: ChildProcess | undefined;
  const early: NodeJS.Signals[] = [];
  const passOn = (signal: NodeJS.Signals) =>
    child === undefined ? void early.push(signal) : send(child, signal, shared);
  const stopListening = terminal.onSignal(passOn);
  try {
    return await new Promise<Ended>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException) => reject(notRun(program!, error));
      try {
        child = spawn(program!, args, { env, stdio: "inherit", detached: !shared });
      } catch (error) {
        return refuse(error as NodeJS.ErrnoException);
      }
      child.once("error", refuse);
      child.once("exit", (code, signal) => resolve({ exitCode: code ?? exitCodeOf(signal ?? "SIGKILL"), signal }));
      for (const signal of early) passOn(signal);
    });
  } finally {
    stopListening();
  }
}

function send(child: ChildProcess, signal: NodeJS.Signals, shared: boolean): void {
  // The terminal has sent these to every process of the group: a second one would be a second Ctrl-C.
  if (shared && (signal === "SIGINT" || signal === "SIGQUIT")) return;
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    // Not child.kill(): on Deno, a child that was sent a signal is then said to have ended with it, whatever it did.
    process.kill(shared ? child.pid : -child.pid, signal);
  } catch {
    // It has just ended.
  }
}

function notRun(program: string, error: NodeJS.ErrnoException): CliError {
  const { code } = error;
  if (code === "ENOENT" || code === "ENOTDIR") {
    const hint = program.includes(" ")
      ? "; write it without quotes, or as sh -c '...'"
      : program.endsWith(".har")
      ? `; did you mean --tape ${program} -- <command>?`
      : "";
    return new CliError(EXIT.notFound, `there is no command ${JSON.stringify(program)}${hint}`, { cause: error });
  }
  if (code === "EACCES" || code === "EPERM" || code === "ENOEXEC" || code === "EISDIR") {
    return new CliError(EXIT.notExecutable, `${program} is not executable`, { cause: error });
  }
  return new CliError(EXIT.notExecutable, `${program} cannot be run: ${error.message}`, { cause: error });
}
