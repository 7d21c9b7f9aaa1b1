/**
 * Files with a line of JSON for each chunk or message.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { object, Wrong } from "../field.ts";
import type { Json } from "../har_read.ts";

/** The media type of such a file; its extension is `jsonl`. */
export const LINES = "application/jsonl";

/** The lines as the bytes of a file. */
export function printLines(lines: readonly object[]): Uint8Array {
  return Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/**
 * The objects of a file, one of each line; empty lines do no harm.
 *
 * @param read makes something of one; its place is such as `a.jsonl line 3`
 * @throws {Wrong} a line is no object
 */
export function readLines<T>(bytes: Uint8Array, file: string, read: (line: Json, where: string) => T): T[] {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Wrong(file, undefined, "", "is not UTF-8 text");
  }
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    const where = `${file} line ${i + 1}`;
    return [read(object(parse(line, where), where), where)];
  });
}

function parse(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Wrong(where, undefined, "", `is not JSON: ${cause instanceof Error ? cause.message : cause}`);
  }
}
