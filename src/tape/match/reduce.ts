/**
 * What of a request counts, as a request: for people, who want to see the differences that matter and no others.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { type PathTest, pathTest } from "../../flow/json_path.ts";
import { essence, isJson } from "../../flow/media_type.ts";
import { FlowRequest } from "../../flow/request.ts";
import { splitUrl } from "../entry.ts";
import { looksLikeJson } from "../media.ts";
import { isDocument, normalizeDocument } from "./graphql.ts";
import type { MatchOptions } from "./match_options.ts";
import { VOLATILE_PARAMETERS } from "./volatile.ts";

/** A copy of a request without what its options ignore. */
export function reduced(request: FlowRequest, { query = { ignore: [] }, body }: MatchOptions): FlowRequest {
  const { complete } = request.content;
  const bytes = complete ? request.body : undefined;
  const content = bytes === undefined ? new BodyBuffer() : BodyBuffer.of(reducedBody(bytes, request, body));
  const copy = new FlowRequest(request.method, splitUrl(request.url), request.httpVersion, request.headers, content);
  if (query === false) {
    for (const name of new Set(copy.query.keys())) copy.query.delete(name);
  } else if (query !== true) {
    for (const name of [...VOLATILE_PARAMETERS, ...query.ignore]) if (copy.query.has(name)) copy.query.delete(name);
  }
  const document = copy.query.get("query");
  if (document !== null && isDocument(document)) copy.query.set("query", normalizeDocument(document));
  return copy;
}

function reducedBody(bytes: Uint8Array, request: FlowRequest, body: MatchOptions["body"]): Uint8Array {
  if (body === false) return new Uint8Array(0);
  const { as = "auto", ignore = [] } = typeof body === "object" ? body : {};
  if (as === "bytes" || as === "hash" || as === "text") return bytes;
  const type = request.headers.get("content-type");
  const ignored = ignore.length > 0 ? pathTest(ignore) : undefined;
  if (as === "form" || essence(type) === "application/x-www-form-urlencoded") {
    if (ignored === undefined) return bytes;
    const form = new URLSearchParams(Buffer.from(bytes).toString("utf8"));
    for (const name of new Set(form.keys())) if (ignored([name])) form.delete(name);
    return Buffer.from(form.toString());
  }
  if (!isJson(type) && !looksLikeJson(bytes)) return bytes;
  try {
    const text = Buffer.from(bytes).toString("utf8");
    const value: unknown = JSON.parse(text);
    const rest = without(value, ignored, []);
    // Where nothing changes, long numbers stay what they are.
    return JSON.stringify(rest) === JSON.stringify(value) ? bytes : Buffer.from(JSON.stringify(rest));
  } catch {
    return bytes;
  }
}

function without(value: unknown, ignored: PathTest | undefined, path: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  const isOperation = !Array.isArray(value) && "query" in value && typeof value.query === "string" &&
    isDocument(value.query);
  const entries = Object.entries(value).filter(([key]) => !ignored?.([...path, key])).map(([key, member]) =>
    [
      key,
      isOperation && key === "query" ? normalizeDocument(member as string) : without(member, ignored, [...path, key]),
    ] as const
  );
  return Array.isArray(value) ? entries.map(([, member]) => member) : Object.fromEntries(entries);
}
