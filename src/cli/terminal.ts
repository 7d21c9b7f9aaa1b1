/**
 * What a command has to do with the world: its streams, its environment, the signals. Tests give it another one.
 *
 * @module
 */
import process from "node:process";
import type { Readable } from "node:stream";

/** The world of a command. */
export interface Terminal {
  /** The environment, as it was at the start. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where answers of a person come from. */
  readonly input: Readable;
  /** Which of the streams are a terminal. */
  readonly isTerminal: { readonly input: boolean; readonly output: boolean; readonly errors: boolean };
  /** Columns of text. */
  readonly width: number;
  /** Writes to the standard output stream. */
  write(text: string): void;
  /** Writes to the standard error stream. */
  tell(text: string): void;
  /** Shows a line on the terminal that the next one takes the place of; `""` takes it away. */
  status(line: string): void;
  /** Tells of signals that would end the process, until what it gives is called. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
}

/** The signals that are passed on. */
export const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    env: { ...process.env },
    get input() {
      return process.stdin;
    },
    isTerminal: { input: stdin.isTTY === true, output: stdout.isTTY === true, errors: stderr.isTTY === true },
    get width() {
      return stdout.columns ?? stderr.columns ?? 100;
    },
    write: (text) => void stdout.write(printable(text)),
    tell: (text) => void stderr.write(printable(text)),
    // Back to the first column, and over what was there.
    status: (line) => void stderr.write(`\r\x1b[2K${printable(line)}`),
    onSignal(listener) {
      const listeners = SIGNALS.filter(isKnown).map((signal) => [signal, () => listener(signal)] as const);
      for (const [signal, one] of listeners) process.on(signal, one);
      return () => {
        for (const [signal, one] of listeners) process.off(signal, one);
      };
    },
  };
}

/** Windows has neither of them. */
function isKnown(signal: NodeJS.Signals): boolean {
  return process.platform !== "win32" || signal === "SIGINT" || signal === "SIGTERM";
}

/** What comes from the network or a file must not steer the terminal: control characters are shown as `\x1b`. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- these are meant
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (it) => {
    return it === "\r" ? "" : `\\x${it.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
