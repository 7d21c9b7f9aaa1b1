/**
 * Reads a HAR document: ours, and those of others that follow HAR 1.2.
 *
 * @module
 */
import { TapeError } from "../flow/error.ts";
import type { HarLog } from "./har.ts";

/** An object of a JSON document. */
export type Json = Record<string, unknown>;

/**
 * The document in the bytes of a file.
 *
 * @throws {TapeError} `TAPE_DAMAGED`, `TAPE_VERSION`
 */
export function parseHar(bytes: Uint8Array, path: string): HarLog {
  const root = parseJson(bytes, path);
  if (!isObject(root) || !isObject(root.log)) {
    throw damaged(path, 'it has no "log": this is not a HAR file');
  }
  const { version, entries } = root.log;
  if (typeof version !== "string") throw damaged(path, `log.version is ${show(version)}: "1.2" is expected`);
  if (version !== "1.2" && version !== "1.1") {
    throw new TapeError("TAPE_VERSION", `${path} is HAR version ${show(version)}: 1.2 and 1.1 can be read`);
  }
  if (!Array.isArray(entries)) throw damaged(path, `log.entries is ${show(entries)}: an array is expected`);
  return root.log as unknown as HarLog;
}

/** The error of a file that is no tape. */
export function damaged(path: string, what: string, cause?: unknown, code = "TAPE_DAMAGED"): TapeError {
  return new TapeError(
    code,
    `${path} cannot be used as a tape: ${what}. Repair the file, or delete it and record it again; it is left as it is.`,
    { cause },
  );
}

/** Whether a value is an object, and no array. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value, shortened for a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const why = cause instanceof RangeError ? "it is too large to be read" : "it is not UTF-8 text";
    throw damaged(path, why, cause);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (/^(?:<<<<<<<|=======|>>>>>>>) /m.test(text)) {
      throw damaged(path, "it holds the conflict markers of a merge", cause);
    }
    if (text.trim() === "") throw damaged(path, "it is empty", cause);
    throw damaged(path, `it is not JSON: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
}
