/**
 * Forms: fields that are percent-encoded, and parts.
 *
 * @module
 */
import { parameter } from "../../flow/media_type.ts";
import type { FieldData } from "../data.ts";

/** The fields of a form or a query, in order. */
export function pairsOf(text: string): FieldData[] {
  return Array.from(new URLSearchParams(text));
}

/** A part of a multipart body. */
export interface Part {
  readonly name: string;
  readonly file: string | undefined;
  readonly headers: readonly FieldData[];
  readonly bytes: Uint8Array;
}

/** The parts of a body (RFC 2046 section 5.1); none when it has no boundary. */
export function partsOf(bytes: Uint8Array, contentType: string): Part[] {
  const boundary = parameter(contentType, "boundary");
  if (!boundary) return [];
  // A character for each byte: so places in the text are places in the bytes.
  const text = `\r\n${new TextDecoder("latin1").decode(bytes)}`;
  const pieces = text.split(`\r\n--${boundary}`).slice(1).filter((piece) => !piece.startsWith("--"));
  let at = text.indexOf(`\r\n--${boundary}`);
  return pieces.slice(0, 200).map((piece) => {
    at = text.indexOf(piece, at);
    const blank = piece.indexOf("\r\n\r\n");
    const start = blank < 0 ? piece.length : blank + 4;
    const own = bytes.subarray(at + start - 2, at + piece.length - 2);
    return partOf(new TextDecoder().decode(bytes.subarray(at - 2, at - 2 + Math.max(0, blank))), own);
  });
}

function partOf(head: string, bytes: Uint8Array): Part {
  const headers = head.split("\r\n").filter((line) => line.includes(":")).map((line): FieldData => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  const disposition = headers.find(([name]) => /^content-disposition$/i.test(name))?.[1];
  return {
    name: parameter(disposition, "name") ?? "(no name)",
    file: parameter(disposition, "filename"),
    headers,
    bytes,
  };
}
