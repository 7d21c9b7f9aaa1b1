/**
 * What goes wrong in the command line: one message, and an exit code.
 *
 * @module
 */
import { FlowtapeError } from "../flow/error.ts";
import { EXIT } from "./exit_codes.ts";

/** Something that ends flowtape with a message and an exit code. */
export class CliError extends Error {
  /** The name of the class. */
  override readonly name: string = "CliError";
  /** The exit code. */
  readonly exitCode: number;

  /** @param message what happened, where, and what to do */
  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The command line is wrong. */
export class UsageError extends CliError {
  /** The name of the class. */
  override readonly name: string = "UsageError";
  /** The command that it is about, where one is known. */
  readonly command: string | undefined;

  /** @param message what is wrong, and what was meant */
  constructor(message: string, command?: string) {
    super(EXIT.usage, message);
    this.command = command;
  }
}

/** What a person is told about an error, and what the exit code is. */
export interface Failure {
  readonly exitCode: number;
  /** The code of a {@linkcode FlowtapeError}, or of the system. */
  readonly code: string;
  readonly message: string;
}

/** Looks at whatever was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UsageError) {
    const help = error.command === undefined ? "flowtape help" : `flowtape help ${error.command}`;
    return { exitCode: error.exitCode, code: "USAGE", message: `${error.message}\n${help} says more` };
  }
  if (error instanceof CliError) return { exitCode: error.exitCode, code: "FAILED", message: error.message };
  if (error instanceof FlowtapeError) {
    return { exitCode: exitCodeFor(error.code), code: error.code, message: error.message };
  }
  const { code, message } = systemError(error);
  if (code !== undefined && code in SYSTEM) return { exitCode: SYSTEM[code]!, code, message };
  return {
    exitCode: EXIT.internal,
    code: "INTERNAL",
    message: `this should not happen: ${message}\nWith FLOWTAPE_DEBUG=1 in the environment it says where`,
  };
}

/** The exit code for the code of a {@linkcode FlowtapeError}. */
function exitCodeFor(code: string): number {
  if (/^(?:TAPE_NOT_FOUND|TAPE_UNREADABLE)$/.test(code)) return EXIT.noInput;
  if (/^(?:TAPE_NOT_WRITTEN|TAPE_HOLDS_SECRET|TAPE_TOO_LARGE|TAPE_LOCKED|REPORT_NOT_WRITTEN)$/.test(code)) {
    return EXIT.notWritten;
  }
  if (/^(?:TAPE_UNUSED|TAPE_DRIFT|TAPE_EXPIRED|UNMATCHED_REQUEST|HOOK_FAILED|PAUSED_UNANSWERED)$/.test(code)) {
    return EXIT.told;
  }
  if (/^(?:TAPE|IMPORT)_/.test(code)) return EXIT.data;
  if (/^(?:PORT_|ADDRESS_|LISTEN_)/.test(code)) return EXIT.unavailable;
  if (/^CA_/.test(code)) return EXIT.config;
  return code === "BAD_OPTION" ? EXIT.usage : EXIT.told;
}

/** What the system says, which its messages name with the path. */
const SYSTEM: Readonly<Record<string, number>> = {
  ENOENT: EXIT.noInput,
  EISDIR: EXIT.noInput,
  ENOTDIR: EXIT.noInput,
  EACCES: EXIT.noInput,
  EPERM: EXIT.noInput,
  ENOSPC: EXIT.notWritten,
  EROFS: EXIT.notWritten,
  EEXIST: EXIT.notWritten,
  EDQUOT: EXIT.notWritten,
};

function systemError(error: unknown): { code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  const code = (error as NodeJS.ErrnoException).code;
  return { code: typeof code === "string" ? code : undefined, message: error.message };
}
