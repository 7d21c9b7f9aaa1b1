/**
 * What a command is: the table of commands is made of these, and help, completions and docs/cli.md are made of the table.
 *
 * @module
 */
import type { Given } from "./given.ts";
import type { Terminal } from "./terminal.ts";

/** An option of a command, such as `--tape <file>`. */
export interface Option {
  /** Its name, without dashes. */
  readonly name: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** What stands behind it. A `flag` takes nothing; a `count` is a flag that may come several times. */
  readonly kind: "flag" | "count" | "text" | "number" | "choice";
  /** What stands behind it, as help calls it: `file`, `name=host:port`. */
  readonly value?: string;
  /** Of a `choice`: what is accepted. */
  readonly choices?: readonly string[];
  /** Of a `number`: the smallest and the largest. */
  readonly range?: readonly [min: number, max: number];
  /** Whether it may be given several times. */
  readonly many?: true;
  /** What holds when it is not given. */
  readonly fallback?: string;
  /** What it does, in one sentence. */
  readonly about: string;
}

/** What stands behind the name of a command. */
export interface Argument {
  /** What help calls it: `tape`, `path...`. */
  readonly name: string;
  /** `one`, `optional` (none or one), `some` (one or more), `any`; `command` is another program with its arguments. */
  readonly count: "one" | "optional" | "some" | "any" | "command";
  /** What is accepted, where that is a list. */
  readonly choices?: readonly string[];
  /** What it is. */
  readonly about: string;
}

/** A command of the table. */
export interface Command {
  /** Its name. */
  readonly name: string;
  /** What it does, in one line. */
  readonly about: string;
  /** What else is to be said, a paragraph each. */
  readonly more?: readonly string[];
  /** What stands behind its name. */
  readonly arguments: readonly Argument[];
  /** Its options, without those of every command. */
  readonly options: readonly Option[];
  /** What people type, and what that is for. */
  readonly examples: readonly (readonly [line: string, about: string])[];
  /** The members of what `--json` writes; a command without takes no `--json`. */
  readonly json?: readonly string[];
  /** Loads what carries it out: a start must not pay for the other commands. */
  load(): Promise<{ readonly run: Run }>;
}

/** Carries out a command, and gives the exit code. */
export type Run = (given: Given, terminal: Terminal) => Promise<number>;
