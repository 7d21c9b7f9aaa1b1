/**
 * What people are told of a store that fails.
 *
 * @module
 */

import { FlowtapeError, TapeError } from "../../flow/error.ts";

const HINTS: Record<string, string> = {
  ENOSPC: "the disk is full; make room and run again",
  EDQUOT: "the disk quota is used up; make room and run again",
  EFBIG: "the file system takes no file of this size",
  EROFS: "the file system is read-only; record where files can be written, or replay",
  EACCES: "this user may not write there; change the permissions of the folder, or the path of the tape",
  EPERM: "this user may not write there; change the permissions of the folder, or the path of the tape",
  EMFILE: "this process has too many files open",
  ENOTDIR: "a part of the path is a file, and no folder",
  EISDIR: "there is a folder of that name",
};

/** Why something was not written, and what to do where that is known. */
export function whyNot(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const hint = HINTS[String((cause as { code?: unknown } | null)?.code)];
  return hint === undefined ? message : `${hint} (${message})`;
}

/** The error of a tape that is not written because its store fails; what says all of it already stays as it is. */
export function notWritten(path: string, cause: unknown): FlowtapeError {
  if (cause instanceof FlowtapeError) return cause;
  const message = `${path} could not be written: ${whyNot(cause)}. The old tape is as it was.`;
  return new TapeError("TAPE_NOT_WRITTEN", message, { cause });
}
