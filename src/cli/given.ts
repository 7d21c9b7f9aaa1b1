/**
 * What was given on the command line.
 *
 * @module
 */
import { UsageError } from "./failure.ts";

/** The options and arguments of a command, checked against the table. */
export class Given {
  /** The command. */
  readonly command: string;
  /** What stood behind it that is no option. */
  readonly args: readonly string[];
  /** The program to run, with its arguments; empty where the command runs none. */
  readonly program: readonly string[];
  readonly #options: ReadonlyMap<string, readonly string[]>;

  /** @param options the values of each option, in order; a flag has an empty one for each time */
  constructor(
    command: string,
    options: ReadonlyMap<string, readonly string[]>,
    args: readonly string[] = [],
    program: readonly string[] = [],
  ) {
    this.command = command;
    this.#options = options;
    this.args = args;
    this.program = program;
  }

  /** Whether a flag was given. */
  flag(name: string): boolean {
    return this.count(name) > 0;
  }

  /** How often a flag was given. */
  count(name: string): number {
    return this.texts(name).length;
  }

  /** The value of an option: the last one. */
  text(name: string): string | undefined {
    return this.texts(name).at(-1);
  }

  /** The values of an option that may come several times. */
  texts(name: string): readonly string[] {
    return this.#options.get(name) ?? [];
  }

  /** The value of an option that is a number. */
  number(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : Number(text);
  }

  /** What is wrong with what was given. */
  wrong(message: string): UsageError {
    return new UsageError(message, this.command);
  }
}
