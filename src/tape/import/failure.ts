/**
 * What goes wrong with files that are imported.
 *
 * @module
 */
import { TapeError } from "../../flow/error.ts";

/** Why a file cannot be imported. */
export function notImported(path: string, what: string, code = "IMPORT_DAMAGED", cause?: unknown): TapeError {
  return new TapeError(code, `${path} cannot be imported: ${what}`, { cause });
}

/** What somebody has thrown, in a line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
