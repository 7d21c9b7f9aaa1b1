/**
 * Bytes that stand as text where that gives the same bytes back, else as base64.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { base64, string, Wrong } from "../field.ts";
import type { Json } from "../har_read.ts";
import { bodyToText } from "../media.ts";

/** One of the two. */
export type TextOrBase64 = { readonly text: string } | { readonly base64: string };

/** Bytes as they stand. */
export function printBytes(bytes: Uint8Array): TextOrBase64 {
  const text = bodyToText(bytes, null);
  return text === undefined ? { base64: toBase64(bytes) } : { text };
}

/** @throws {Wrong} neither is there */
export function readBytes(line: Json, where: string): Uint8Array {
  if (line.text !== undefined) return Buffer.from(string(line.text, `${where}: text`));
  if (line.base64 !== undefined) return Buffer.from(base64(line.base64, `${where}: base64`), "base64");
  throw new Wrong(`${where}: text`, undefined, "text or base64");
}

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
