/**
 * Bytes as they stand in a report.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { BytesData } from "./data.ts";

/** Text where that gives the same bytes back, else base64. */
export function bytesData(bytes: Uint8Array): BytesData {
  if (bytes.length === 0) return {};
  const text = textOf(bytes);
  return text === undefined ? { base64: base64Of(bytes) } : { text };
}

/** The first bytes: text is not cut within a character. */
export function firstBytes(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length <= length) return bytes;
  let end = length;
  // The bytes of a character in UTF-8 but the first begin with 10 (RFC 3629 section 3).
  for (let back = 0; back < 3 && end > 0 && (bytes[end]! & 0xc0) === 0x80; back++) end--;
  return bytes.subarray(0, end);
}

/** How long they are in the page, about. */
export function lengthOf({ text = "", base64 = "", note = "" }: BytesData): number {
  return text.length + base64.length + note.length;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    // deno-lint-ignore no-control-regex -- NUL and its like are the sign of a binary format, and six letters each in JSON
    return /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
