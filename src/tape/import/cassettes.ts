/**
 * Cassettes: VCR (Ruby), vcrpy (Python) and go-vcr, which descend from one another.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { HttpVersion } from "../../flow/message.ts";
import { object, string, Wrong } from "../field.ts";
import { isObject, type Json } from "../har_read.ts";
import type { Collector } from "./collector.ts";
import type { FieldNames } from "./exchange.ts";
import { array, base64Of, bytesOf, fieldsOf, whole } from "./fields.ts";

/** A cassette of VCR: `http_interactions`. */
export function readVcr(document: Json, into: Collector): void {
  const list = array(document.http_interactions, "http_interactions");
  list.forEach((item, i) => {
    into.add(placeOf("http_interactions", i, item, "uri"), URI, () => {
      const { request, response } = partsOf(item);
      const status = object(response.status, "response.status");
      return {
        method: string(request.method, "request.method").toUpperCase(),
        url: string(request.uri, "request.uri"),
        httpVersion: versionOf(response.http_version),
        requestHeaders: fieldsOf(request.headers, "request.headers"),
        requestBody: rubyBody(request.body, "request.body"),
        status: whole(status.code, "response.status.code"),
        reason: string(status.message ?? "", "response.status.message"),
        responseHeaders: fieldsOf(response.headers, "response.headers"),
        responseBody: rubyBody(response.body, "response.body"),
      };
    });
  });
}

/** A cassette of vcrpy: `interactions` with `uri`. */
export function readVcrpy(document: Json, into: Collector): void {
  array(document.interactions, "interactions").forEach((item, i) => {
    into.add(placeOf("interactions", i, item, "uri"), URI, () => {
      const { request, response } = partsOf(item);
      const status = object(response.status, "response.status");
      return {
        method: string(request.method, "request.method").toUpperCase(),
        url: string(request.uri, "request.uri"),
        requestHeaders: fieldsOf(request.headers, "request.headers"),
        requestBody: pythonBody(request.body, "request.body"),
        status: whole(status.code, "response.status.code"),
        reason: string(status.message ?? "", "response.status.message"),
        responseHeaders: fieldsOf(response.headers, "response.headers"),
        responseBody: pythonBody(response.body, "response.body"),
      };
    });
  });
}

/** A cassette of go-vcr: `interactions` with `url`. */
export function readGoVcr(document: Json, into: Collector): void {
  array(document.interactions, "interactions").forEach((item, i) => {
    into.add(placeOf("interactions", i, item, "url"), GO, () => {
      const { request, response } = partsOf(item);
      const code = whole(response.code, "response.code");
      return {
        method: string(request.method ?? "GET", "request.method") || "GET",
        url: string(request.url, "request.url"),
        requestHeaders: fieldsOf(request.headers, "request.headers"),
        requestBody: goRequestBody(request),
        status: code,
        reason: string(response.status ?? "", "response.status").replace(/^\d+ ?/, ""),
        responseHeaders: fieldsOf(response.headers, "response.headers"),
        responseBody: bytesOf(response.body, "response.body"),
      };
    });
  });
}

const COMMON = {
  method: "request.method",
  requestHeaders: "request.headers",
  responseHeaders: "response.headers",
};
const URI: FieldNames = {
  ...COMMON,
  url: "request.uri",
  status: "response.status.code",
  reason: "response.status.message",
};
const GO: FieldNames = { ...COMMON, url: "request.url", status: "response.code", reason: "response.status" };

function partsOf(item: unknown): { request: Json; response: Json } {
  const { request, response } = object(item, "");
  return { request: object(request, "request"), response: object(response, "response") };
}

function placeOf(list: string, i: number, item: unknown, url: string): string {
  const request = isObject(item) && isObject(item.request) ? item.request : {};
  const known = typeof request.method === "string" && typeof request[url] === "string";
  return `${list}[${i}]${known ? ` (${request.method} ${request[url]})` : ""}`;
}

function versionOf(version: unknown): HttpVersion {
  const text = typeof version === "string" ? version : "";
  return /2(?:\.0)?$/.test(text) ? "2" : text.endsWith("1.0") ? "1.0" : "1.1";
}

/** `{ encoding, string }` or `{ encoding, base64_string }`; the encoding is that of the text before it was put into the file. */
function rubyBody(body: unknown, where: string): Uint8Array {
  if (!isObject(body) || body instanceof Uint8Array) return bytesOf(body, where);
  if (body.base64_string !== undefined) return base64Of(body.base64_string, `${where}.base64_string`);
  const encoding = typeof body.encoding === "string" ? body.encoding.toUpperCase() : "";
  if (encoding === "ISO-8859-1" && typeof body.string === "string") return latin1(body.string, `${where}.string`);
  return bytesOf(body.string, `${where}.string`);
}

function latin1(text: string, where: string): Uint8Array {
  // deno-lint-ignore no-control-regex -- all that ISO-8859-1 holds
  if (!/^[\x00-\xff]*$/.test(text)) throw new Wrong(where, text, "text of ISO-8859-1");
  return Buffer.from(text, "latin1");
}

/** Text, bytes, `{ string }`, or `{ base64_string }` of old versions. */
function pythonBody(body: unknown, where: string): Uint8Array {
  if (!isObject(body) || body instanceof Uint8Array) return bytesOf(body, where);
  if (body.base64_string !== undefined) return base64Of(body.base64_string, `${where}.base64_string`);
  return bytesOf(body.string, `${where}.string`);
}

/** A form may stand as its fields alone. */
function goRequestBody({ body, form }: Json): Uint8Array {
  const bytes = bytesOf(body, "request.body");
  if (bytes.length > 0) return bytes;
  return Buffer.from(new URLSearchParams(fieldsOf(form, "request.form").map(([k, v]) => [k, v])).toString());
}
