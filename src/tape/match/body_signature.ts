/**
 * What tells the bodies of two requests with the same key apart.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { FlowtapeError } from "../../flow/error.ts";
import { essence, isJson, parameter } from "../../flow/media_type.ts";
import type { FlowRequest } from "../../flow/request.ts";
import { type PathTest, pathTest } from "../../flow/json_path.ts";
import { looksLikeJson } from "../media.ts";
import type { MatchOptions } from "../options.ts";
import type { Redactor } from "../redact/redactor.ts";

/** Signs the bodies of requests. */
export type SignBody = (request: FlowRequest) => string;

/** Equal signatures: the bodies say the same, but for what is ignored. The empty body has the empty one. */
export function bodySigner(body: MatchOptions["body"], redactor: Redactor): SignBody {
  const ignored = typeof body === "object" ? pathTest(body.ignore) : undefined;
  return (request) => {
    const type = request.headers.get("content-type");
    const bytes = redactor.body(decodedBody(request), type);
    if (bytes.length === 0) return "";
    return shorten(formSignature(bytes, type, ignored) ?? jsonSignature(bytes, type, ignored) ?? bytes);
  };
}

/** The body without content coding, or as it is when the coding cannot be undone. */
export function decodedBody(request: FlowRequest): Uint8Array {
  try {
    return request.body;
  } catch (error) {
    if (error instanceof FlowtapeError && error.code === "BODY_ENCODING") return request.encodedBody;
    throw error;
  }
}

function shorten(signature: string | Uint8Array): string {
  if (typeof signature === "string" && signature.length <= 64) return signature;
  return createHash("sha256").update(signature).digest("base64");
}

function jsonSignature(bytes: Uint8Array, type: string | null, ignored: PathTest | undefined): string | undefined {
  if (!isJson(type) && !looksLikeJson(bytes)) return undefined;
  try {
    return canonical(JSON.parse(new TextDecoder().decode(bytes), keepLongNumbers), [], ignored);
  } catch {
    return undefined;
  }
}

/** Identifiers are longer than a number is exact: they are compared as they were written. */
function keepLongNumbers(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  return typeof value === "number" && !Number.isSafeInteger(value) && source && /^-?\d+$/.test(source)
    ? { [LONG]: source }
    : value;
}

const LONG = Symbol("a number as it was written");

function canonical(value: unknown, path: string[], ignored: PathTest | undefined): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (LONG in value) return value[LONG] as string;
  const member = (key: string, inner: unknown) => canonical(inner, ignored ? [...path, key] : path, ignored);
  const counts = ([key]: [string, unknown]) => !ignored?.([...path, key]);
  const entries = Object.entries(value).filter(counts);
  if (Array.isArray(value)) return `[${entries.map(([key, inner]) => member(key, inner)).join()}]`;
  entries.sort(([a], [b]) => a < b ? -1 : 1);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${member(key, inner)}`).join()}}`;
}

function formSignature(
  bytes: Uint8Array,
  type: string | null,
  ignored: PathTest | undefined,
): string | undefined {
  switch (essence(type)) {
    case "application/x-www-form-urlencoded": {
      const form = new URLSearchParams(new TextDecoder().decode(bytes));
      for (const name of new Set(form.keys())) if (ignored?.([name])) form.delete(name);
      form.sort();
      return `form ${form}`;
    }
    case "multipart/form-data":
    case "multipart/mixed":
    case "multipart/related":
      return multipartSignature(bytes, type!, ignored);
  }
  return undefined;
}

/** The boundary is made up anew for every request. */
function multipartSignature(bytes: Uint8Array, type: string, ignored: PathTest | undefined): string | undefined {
  const boundary = parameter(type, "boundary");
  if (!boundary) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return text.split(`--${boundary}`).filter((part) => {
    const name = parameter(/^content-disposition:(.*)$/im.exec(part)?.[1], "name");
    return name === undefined || !ignored?.([Buffer.from(name, "latin1").toString("utf8")]);
  }).join("--");
}
