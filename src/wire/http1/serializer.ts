/**
 * HTTP/1.1 as bytes: start lines, chunks, and raw field lines with some taken out. Everything that was not asked to change stays as it was
 * received: order, case, spacing, duplicates.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { findLines, lineEnd, withoutLines } from "./field_lines.ts";
import type { Head } from "./head.ts";

export { withoutLines } from "./field_lines.ts";
export { checkField, checkRequestLine, checkStatusLine } from "./check_field.ts";

/** The request line, with its CRLF. */
export function requestLine(method: string, target: string, version: "1.0" | "1.1" = "1.1"): string {
  return `${method} ${target} HTTP/${version}\r\n`;
}

/** The status line, with its CRLF. The space before an empty reason stays (RFC 9112 4). */
export function statusLine(status: number, reason: string, version: "1.0" | "1.1" = "1.1"): string {
  return `HTTP/${version} ${status} ${reason}\r\n`;
}

/** One field line, with its CRLF. The caller has checked it with `checkField`. */
export function fieldLine(name: string, value: string): string {
  return `${name}: ${value}\r\n`;
}

/** The fields of a head without those that concern one connection; the same string when there are none. */
export function withoutHops(head: Head): string {
  return withoutLines(head.fields, head.hops);
}

/** The fields of a head without those of one connection and without those that frame the body: for a body whose length has changed. */
export function withoutFraming(head: Head): string {
  const { fields, hops } = head;
  const framed = Math.max(head.lengthAt, head.codingAt);
  if (framed === -1) return withoutLines(fields, hops);
  let index = 0;
  while (index < hops.length && hops[index]! < framed) index += 2;
  return withoutLines(fields, [...hops.slice(0, index), framed, lineEnd(fields, framed), ...hops.slice(index)]);
}

/** The fields without those of these lower-case names; the same string when there are none. */
export function stripFields(fields: string, names: ReadonlySet<string>): string {
  return withoutLines(fields, findLines(fields, (name) => names.has(name)));
}

/** The fields with one field of this name: in the place of the first that had it, the others dropped, or else at the end. */
export function setField(fields: string, name: string, value: string): string {
  const wanted = name.toLowerCase();
  const lines = findLines(fields, (other) => other === wanted);
  if (lines.length === 0) return fields + fieldLine(name, value);
  const first = lines[0]!;
  return fields.slice(0, first) + fieldLine(name, value) + withoutLines(fields, lines).slice(first);
}

/** The line that starts a chunk of `size` bytes; after the data comes CRLF. A size of 0 is `lastChunk`. */
export function chunkHead(size: number): string {
  return `${size.toString(16)}\r\n`;
}

/** What ends a chunked body: the last chunk, the raw trailer lines, and the empty line. */
export function lastChunk(trailers = ""): string {
  return `0\r\n${trailers}\r\n`;
}

/**
 * Joins latin1 strings and bytes into one buffer, with one allocation: one write to a socket is much cheaper than two.
 * Characters above U+00FF would be cut; heads have none.
 */
export function joinBytes(parts: readonly (string | Uint8Array)[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") joined.write(part, at, "latin1");
    else joined.set(part, at);
    at += part.length;
  }
  return joined;
}
