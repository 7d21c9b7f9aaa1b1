/**
 * Multipart bodies in one form: the boundary, which is made up anew for every request, does not count.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { essence, parameter } from "../../flow/media_type.ts";
import type { PathTest } from "../../flow/json_path.ts";

/** The signature of the content of a part. */
export type SignPart = (bytes: Uint8Array, type: string | null, path: readonly string[]) => string;

/** How a multipart body is signed. */
export interface MultipartOptions {
  /** Parts that do not count, by name. */
  readonly ignored?: PathTest | undefined;
  /** Where the body itself stands. */
  readonly path: readonly string[];
  readonly sign: SignPart;
}

/** The parts of a body; `undefined` when it is none of this kind. */
export function multipartSignature(
  bytes: Uint8Array,
  type: string | null,
  options: MultipartOptions,
): string | undefined {
  const parts = partsOf(bytes, type);
  if (parts === undefined) return undefined;
  const counting = parts.filter(({ name }) => !options.ignored?.([...options.path, name]));
  // The fields of a form stand in any order; the parts of all else do not.
  if (essence(type) !== "multipart/mixed" && essence(type) !== "multipart/related") {
    counting.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  }
  return `multipart ${counting.map((part) => signPart(part, options)).join("\n")}`;
}

/** The parts of a body in their order; `undefined` when it is none of this kind. */
export function partsOf(bytes: Uint8Array, type: string | null): Part[] | undefined {
  const boundary = parameter(type, "boundary") ?? firstBoundary(bytes);
  if (!boundary) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const pieces = `\r\n${text}`.split(`\r\n--${boundary}`).slice(1);
  const end = pieces.findIndex((piece) => piece.startsWith("--"));
  return end < 0 ? undefined : pieces.slice(0, end).map((piece, i) => partOf(piece, `${i}`));
}

/** A part of a multipart body. */
export interface Part {
  /** The name of the field, or the place of a part without one. */
  readonly name: string;
  /** Its header fields, the names in lower case. */
  readonly fields: readonly (readonly [string, string])[];
  readonly content: Uint8Array;
  /** Its media type. */
  readonly type: string | null;
}

function partOf(piece: string, place: string): Part {
  const start = piece.indexOf("\r\n");
  const blank = piece.indexOf("\r\n\r\n", start);
  const head = blank < 0 ? piece : piece.slice(start + 2, blank);
  const fields = head.split("\r\n").filter((line) => line.includes(":")).map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
  });
  const name = parameter(valueOf(fields, "content-disposition"), "name");
  return {
    name: name === undefined ? place : Buffer.from(name, "latin1").toString("utf8"),
    fields,
    type: valueOf(fields, "content-type") ?? null,
    content: Buffer.from(blank < 0 ? "" : piece.slice(blank + 4), "latin1"),
  };
}

function signPart({ name, fields, type, content }: Part, { path, sign }: MultipartOptions): string {
  const counting = fields.filter(([field]) => field !== "content-length").map(([field, value]) =>
    `${field}: ${withoutBoundary(value)}`
  );
  return `${JSON.stringify(counting.sort())}${sign(content, type, [...path, name])}`;
}

function valueOf(fields: Part["fields"], name: string): string | undefined {
  return fields.find(([field]) => field === name)?.[1];
}

/** A media type without the boundary of a multipart body. */
export function withoutBoundary(type: string): string {
  return /^multipart\//i.test(type) ? type.replace(/;\s*boundary=(?:"(?:[^"\\]|\\.)*"|[^;\s]*)/i, "") : type;
}

/** The boundary that a body begins with, for clients that do not name it. */
function firstBoundary(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 100)).toString("latin1");
  return /^--([^\r\n]{1,70})\r\n/.exec(start)?.[1];
}
