/**
 * Fixtures of nock.back: an array of definitions.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { object, string, Wrong } from "../field.ts";
import { isObject, type Json } from "../har_read.ts";
import { type Collector, Inexact } from "./collector.ts";
import type { Exchange, Field, FieldNames } from "./exchange.ts";
import { fieldsOf, flatFieldsOf, hexOf, isNothing, textOrJson, valueOf, whole } from "./fields.ts";

/** Reads the definitions of a fixture. */
export function readNock(definitions: readonly unknown[], into: Collector): void {
  definitions.forEach((item, i) => {
    const { method, path } = isObject(item) ? item : {};
    const known = typeof method === "string" && typeof path === "string" ? ` (${method} ${path})` : "";
    into.add(`[${i}]${known}`, NAMES, () => readDefinition(object(item, "")));
  });
}

const NAMES: FieldNames = {
  method: "method",
  url: "scope",
  requestHeaders: "reqheaders",
  status: "status",
  reason: "status",
  responseHeaders: "rawHeaders",
};

function readDefinition(item: Json): Exchange {
  for (const name of ["filteringRequestBody", "filteringPath", "badheaders"]) {
    if (!isNothing(item[name]) && !(Array.isArray(item[name]) && item[name].length === 0)) {
      throw new Inexact(`${name} is a condition for many requests`);
    }
  }
  if (isObject(item.path)) throw new Inexact("path is no text but a condition");
  const requestHeaders = fieldsOf(item.reqheaders, "reqheaders");
  const responseHeaders = Array.isArray(item.rawHeaders)
    ? flatFieldsOf(item.rawHeaders, "rawHeaders")
    : fieldsOf(item.rawHeaders ?? item.headers, "rawHeaders");
  return {
    method: string(item.method, "method").toUpperCase(),
    url: scopeOf(item) + pathOf(string(item.path, "path")),
    requestHeaders,
    requestBody: requestBodyOf(item.body, requestHeaders),
    status: whole(item.status ?? item.reply ?? 200, "status"),
    responseHeaders,
    responseBody: responseBodyOf(item, responseHeaders),
  };
}

function scopeOf({ scope, port }: Json): string {
  const origin = string(scope, "scope").replace(/\/$/, "");
  if (/[*]/.test(origin) || !/^https?:\/\//i.test(origin)) throw new Wrong("scope", scope, "an origin");
  return port === undefined || /:\d+$/.test(origin) ? origin : `${origin}:${whole(port, "port")}`;
}

function pathOf(path: string): string {
  if (!path.startsWith("/")) throw new Wrong("path", path, "a path that begins with /");
  return path;
}

function requestBodyOf(body: unknown, headers: readonly Field[]): Uint8Array {
  if (body === undefined || body === null || body === "") return new Uint8Array(0);
  if (body === "*") throw new Inexact('body is "*", which is every body');
  if (isObject(body) && /^application\/x-www-form-urlencoded/i.test(valueOf(headers, "content-type"))) {
    return Buffer.from(new URLSearchParams(fieldsOf(body, "body").map(([name, value]) => [name, value])).toString());
  }
  return binaryAsLong(body, headers) ?? textOrJson(body);
}

/** What is no text stands as hexadecimal digits, and nothing says so but the length. */
function binaryAsLong(body: unknown, headers: readonly Field[]): Uint8Array | undefined {
  const bytes = hexOf(body);
  return bytes !== undefined && valueOf(headers, "content-length") === String(bytes.length) ? bytes : undefined;
}

function responseBodyOf({ response, responseIsBinary }: Json, headers: readonly Field[]): Uint8Array {
  if (response === undefined || response === null || response === "") return new Uint8Array(0);
  // Of coded bodies there is one text of hexadecimal digits for each chunk.
  if (Array.isArray(response) && valueOf(headers, "content-encoding") !== "") {
    const chunks = response.map(hexOf);
    if (chunks.every((chunk) => chunk !== undefined)) return Buffer.concat(chunks);
  }
  if (responseIsBinary === true) {
    const bytes = hexOf(response);
    if (bytes === undefined) throw new Wrong("response", response, "hexadecimal digits");
    return bytes;
  }
  return binaryAsLong(response, headers) ?? textOrJson(response);
}
