/**
 * Tapes: recordings of HTTP traffic as HAR 1.2 files, for tests to replay.
 *
 * @module
 */
export { TapeEntry } from "./entry.ts";
export { readTape, Tape, writeTape, type WriteTapeOptions } from "./tape.ts";
export type { MatchOptions, RedactOptions, TapeMode, TapeOptions } from "./options.ts";
export { TapeError } from "../flow/error.ts";
