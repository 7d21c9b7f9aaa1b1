/**
 * Tapes: recordings of HTTP traffic as HAR 1.2 files, for tests to replay.
 *
 * @module
 */
export { type MswHandlersOptions, type MswWs, toMswHandlers } from "./msw/mod.ts";
export { TapeEntry } from "./entry.ts";
export { exportHar, type ExportHarOptions } from "./export/har.ts";
export { type MswSourceOptions, toMswSource } from "./export/msw_source.ts";
export { ImportedTape, type ImportFormat, type ImportOptions, importTape } from "./import/mod.ts";
export { merge } from "./merge.ts";
export { fileStore } from "./store/file_store.ts";
export type { GrowingFile, OpenFile, Pieces, StoreNow, TapeStore, UnnamedFile } from "./store/tape_store.ts";
export { type StorageLike, unstorageStore, type UnstorageStoreOptions } from "./store/unstorage_store.ts";
export type { Turns } from "./streams/chunk.ts";
export type { RecordedChunk, StoredChunk, StoredStream } from "./streams/read.ts";
export type { Said, SaidClose, TcpEnd } from "./streams/said.ts";
export { prune, type PruneOptions } from "./upkeep/prune.ts";
export { stats, type TapesStats, type TapeStats } from "./upkeep/stats.ts";
export { readTape, type ReadTapeOptions, Tape, writeTape, type WriteTapeOptions } from "./tape.ts";
export type { BodyForm, BodyMatchOptions, MatchOptions, OriginPart } from "./match/match_options.ts";
export { learn } from "./match/learn.ts";
export { type Learned } from "./match/learned.ts";
export type { Drift } from "./verify/drift.ts";
export type { ExpiryOptions, RedactOptions, TapeMode, TapeOptions, VerifyOptions } from "./options.ts";
export { type Finding, scan, type ScanOptions } from "./redact/scan.ts";
export { TapeError } from "../flow/error.ts";
