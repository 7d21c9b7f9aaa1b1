/**
 * Tapes: recordings of HTTP traffic as HAR 1.2 files, for tests to replay.
 *
 * @module
 */
export { type MswHandlersOptions, type MswWs, toMswHandlers } from "./msw/mod.ts";
export { TapeEntry } from "./entry.ts";
export { readTape, Tape, writeTape, type WriteTapeOptions } from "./tape.ts";
export type { MatchOptions, RedactOptions, TapeMode, TapeOptions } from "./options.ts";
export { TapeError } from "../flow/error.ts";
