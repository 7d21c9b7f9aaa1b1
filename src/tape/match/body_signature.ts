/**
 * What tells the bodies of two requests with the same key apart.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { FlowtapeError } from "../../flow/error.ts";
import { pathTest } from "../../flow/json_path.ts";
import { decodeText, essence, isJson } from "../../flow/media_type.ts";
import type { FlowRequest } from "../../flow/request.ts";
import { looksLikeJson } from "../media.ts";
import type { Redactor } from "../redact/redactor.ts";
import { graphqlSignature, isDocument, normalizeDocument } from "./graphql.ts";
import { latin1 } from "../redact/encoding.ts";
import { grpcText, isGrpc, uncompressed } from "../streams/grpc.ts";
import { canonicalJson, type CanonicalOptions, parseExactly } from "./json_signature.ts";
import type { BodyForm, MatchOptions } from "./match_options.ts";
import { multipartSignature } from "./multipart_signature.ts";

/** Signs the bodies of requests. */
export type SignBody = (request: FlowRequest) => string;

/** Equal signatures: the bodies say the same, but for what is ignored. The empty body has the empty one. */
export function bodySigner(body: MatchOptions["body"], redactor: Redactor): SignBody {
  const { as = "auto", ignore = [] } = typeof body === "object" ? body : {};
  const ignored = ignore.length > 0 ? pathTest(ignore) : undefined;
  return (request) => {
    const type = request.headers.get("content-type");
    const redacted = redactor.body(decodedBody(request), type);
    const bytes = as === "auto" && isGrpc(type) ? uncompressed(redacted) : redacted;
    if (bytes.length === 0) return "";
    if (as === "hash") return hashOf(bytes);
    return shorten(signatureOf(bytes, type, as, { ignored }) ?? bytes);
  };
}

/**
 * The signature of a body `as: "hash"` by the name of the file that holds it; `undefined` when the name was not given by its content.
 */
export function hashOfFile(name: string): string | undefined {
  return /^[0-9a-f]{16}(?=[0-9a-f]*\.)/.exec(name)?.[0];
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

/** Names of body files begin with as much of it. */
function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

function shorten(signature: string | Uint8Array): string {
  if (typeof signature === "string" && signature.length <= 64) return signature;
  return createHash("sha256").update(signature).digest("base64");
}

/** `undefined`: it is not what it is to be compared as. */
function signatureOf(
  bytes: Uint8Array,
  type: string | null,
  as: BodyForm,
  options: CanonicalOptions,
): string | undefined {
  switch (as) {
    case "auto":
      return byType(bytes, type, options);
    case "json":
      return jsonSignature(bytes, type, options, { graphql: false });
    case "graphql":
      return jsonSignature(bytes, type, options, { graphql: true }) ?? documentSignature(bytes, type);
    case "form":
      return formSignature(bytes, type, options);
    case "multipart":
      return multipart(bytes, type, options);
    case "text":
      return `text ${decodeText(bytes, type).replace(/[^\S\n\r]*(?:\r\n?|\n|$)/g, "\n").trimEnd()}`;
    case "bytes":
    case "hash":
      return undefined;
  }
}

function byType(bytes: Uint8Array, type: string | null, options: CanonicalOptions): string | undefined {
  const kind = essence(type);
  if (kind === "application/x-www-form-urlencoded") return formSignature(bytes, type, options);
  if (kind.startsWith("multipart/")) return multipart(bytes, type, options);
  if (kind === "application/graphql") return documentSignature(bytes, type);
  if (/^application\/(?:x-ndjson|jsonl|x-jsonlines)$/.test(kind)) return linesSignature(bytes, type, options);
  if (isGrpc(type)) return grpcSignature(bytes);
  if (isJson(type) || looksLikeJson(bytes)) return jsonSignature(bytes, type, options, { graphql: true });
  return undefined;
}

function jsonSignature(
  bytes: Uint8Array,
  type: string | null,
  options: CanonicalOptions,
  { graphql }: { graphql: boolean },
): string | undefined {
  const parsed = parseExactly(decodeText(bytes, type));
  if (parsed === undefined) return undefined;
  return (graphql ? graphqlSignature(parsed.value, options) : undefined) ?? canonicalJson(parsed.value, options);
}

function linesSignature(bytes: Uint8Array, type: string | null, options: CanonicalOptions): string | undefined {
  const lines = decodeText(bytes, type).split("\n").filter((line) => line.trim() !== "").map(parseExactly);
  if (lines.includes(undefined)) return undefined;
  return `lines ${lines.map((line) => canonicalJson(line!.value, options)).join("\n")}`;
}

/** Secrets in it may have any length: then it is compared as text. */
function grpcSignature(bytes: Uint8Array): string | undefined {
  return latin1(bytes).includes("********") ? grpcText(bytes) : undefined;
}

function documentSignature(bytes: Uint8Array, type: string | null): string | undefined {
  const text = decodeText(bytes, type);
  return isDocument(text) ? `document ${normalizeDocument(text)}` : undefined;
}

function formSignature(bytes: Uint8Array, type: string | null, { ignored, path = [] }: CanonicalOptions): string {
  const form = new URLSearchParams(decodeText(bytes, type));
  for (const name of new Set(form.keys())) if (ignored?.([...path, name])) form.delete(name);
  form.sort();
  return `form ${form}`;
}

function multipart(bytes: Uint8Array, type: string | null, { ignored, path = [] }: CanonicalOptions) {
  const sign = (content: Uint8Array, partType: string | null, place: readonly string[]) =>
    shorten(byType(content, partType, { ignored, path: place }) ?? content);
  return multipartSignature(bytes, type, { ignored, path, sign });
}
