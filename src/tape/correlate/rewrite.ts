/**
 * Messages with other values in them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { essence, isJson } from "../../flow/media_type.ts";
import { FlowRequest } from "../../flow/request.ts";
import type { FlowResponse } from "../../flow/response.ts";
import { splitUrl, type TapeEntry } from "../entry.ts";
import { toText } from "../redact/encoding.ts";
import { changeGrpc, isGrpc } from "../streams/grpc.ts";
import { type Pairs, substitute } from "./unusual.ts";

/** Larger bodies are replayed as they are. */
export const LARGEST: number = 8 << 20;

/** Of larger bodies that pass nothing is remembered. */
export const LARGEST_SEEN: number = 256 << 10;

const FORM = "application/x-www-form-urlencoded";

/** What a client says, as one text. */
export function textOf(request: FlowRequest): string {
  let text = `${request.url}\n${request.headers.raw.map(([, value]) => value).join("\n")}`;
  try {
    if (request.content.complete && request.content.kept < LARGEST_SEEN) text += `\n${request.text()}`;
  } catch {
    // A body that cannot be decoded gives nothing to read.
  }
  try {
    return `${text}\n${decodeURIComponent(request.url)}`;
  } catch {
    return text;
  }
}

/** A copy with values replaced. */
export function rewritten(request: FlowRequest, pairs: Pairs): FlowRequest {
  const headers = FlowHeaders.from(
    Array.from(request.headers, ([name, value]): [string, string] => [name, substitute(value, pairs)]),
  );
  let content = request.content;
  if (content.complete && content.kept > 0 && content.kept <= LARGEST) {
    let body: Uint8Array;
    try {
      body = request.body;
    } catch {
      body = content.bytes();
    }
    const after = substituteBytes(body, headers.get("content-type"), pairs);
    if (after !== body) {
      headers.delete("content-encoding");
      content = BodyBuffer.of(after);
    }
  }
  return new FlowRequest(
    request.method,
    splitUrl(substitute(request.url, pairs, "url")),
    request.httpVersion,
    headers,
    content,
  );
}

/** The request of an entry whose body is in a file, without that. */
export function headOf(entry: TapeEntry): FlowRequest {
  return new FlowRequest(entry.method, splitUrl(entry.url), "1.1", entry.requestHeaders, new BodyBuffer());
}

/** Replaces values in the header fields of a response. */
export function substituteFields(response: FlowResponse, pairs: Pairs): void {
  const fields = Array.from(response.headers, ([name, value]): [string, string] => {
    return [name, substitute(value, pairs, /^(?:.*location|link|refresh)$/i.test(name) ? "url" : "text")];
  });
  if (fields.every(([, value], i) => value === response.headers.raw[i]![1])) return;
  response.headers = FlowHeaders.from(fields);
}

/** Text with values replaced; the same array when there are none, and when it is no text. */
export function substituteBytes(bytes: Uint8Array, contentType: string | null, pairs: Pairs): Uint8Array {
  if (bytes.length === 0 || pairs.size === 0) return bytes;
  if (isGrpc(contentType)) return changeGrpc(bytes, (text) => substitute(text, pairs));
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const there = Array.from(pairs.keys()).some((from) => raw.includes(from) || raw.includes(encodeURIComponent(from)));
  const body = there ? toText(bytes, contentType) : undefined;
  if (body === undefined) return bytes;
  const form = isJson(contentType) ? "json" : essence(contentType) === FORM ? "url" : "text";
  const text = substitute(body.text, pairs, form);
  return text === body.text ? bytes : body.encode(text);
}

/** A line for each header field. */
export function fieldsOf({ headers }: FlowResponse): string {
  return headers.raw.map(([name, value]) => `${name}: ${value}`).join("\n");
}
