/**
 * What a reader has found in a file, and the entry that it becomes. What the formats have in common is checked here.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { canDecode, decodeContent } from "../../flow/content_coding.ts";
import { checkField, FlowHeaders } from "../../flow/headers.ts";
import type { HttpVersion } from "../../flow/message.ts";
import type { StoredBody, StoredEntry, StoredMessage } from "../entry.ts";
import { Wrong } from "../field.ts";
import { bodyToText } from "../media.ts";
import { reasonOf } from "./failure.ts";

/** A header field. */
export type Field = readonly [name: string, value: string];

/** An exchange as it stands in a file. */
export interface Exchange {
  method: string;
  url: string;
  httpVersion?: HttpVersion;
  requestHeaders: readonly Field[];
  requestBody: Uint8Array;
  status: number;
  reason?: string;
  responseHeaders: readonly Field[];
  responseBody: Uint8Array;
  comment?: string;
}

/** What the fields are called in the file, for messages. */
export type FieldNames = Readonly<
  Record<"method" | "url" | "requestHeaders" | "status" | "reason" | "responseHeaders", string>
>;

/** @throws {Wrong} a field that cannot be part of an exchange */
export function storedOf(exchange: Exchange, names: FieldNames): StoredEntry {
  const { method, status, reason = "", requestHeaders, responseHeaders, httpVersion = "1.1" } = exchange;
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new Wrong(names.method, method, "a method");
  if (!Number.isInteger(status) || status < 200 || status > 999) {
    throw new Wrong(names.status, status, "a status from 200 to 999");
  }
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(reason)) throw new Wrong(names.reason, reason, "one line of text");
  return {
    method,
    url: checkUrl(exchange.url, names.url),
    status,
    reason,
    request: message(
      httpVersion,
      withType(requestHeaders, exchange.requestBody),
      exchange.requestBody,
      names.requestHeaders,
    ),
    response: message(httpVersion, responseHeaders, exchange.responseBody, names.responseHeaders),
    failure: undefined,
    comment: exchange.comment,
  };
}

const FORM = /^[\w.*+%~!-]+=[\w.*+%~!@:/-]*(?:&[\w.*+%~!-]+=[\w.*+%~!@:/-]*)*$/;

/** Those who keep no header fields keep forms, which are compared field by field when they say that they are forms. */
function withType(headers: readonly Field[], body: Uint8Array): readonly Field[] {
  if (headers.some(([name]) => name.toLowerCase() === "content-type") || body.length > 1_000_000) return headers;
  const text = Buffer.from(body).toString("latin1");
  // The end of base64 is no field without a value.
  const isForm = FORM.test(text) && /=[^&]/.test(text);
  return isForm ? [...headers, ["content-type", "application/x-www-form-urlencoded"]] : headers;
}

function checkUrl(url: string, where: string): string {
  if (!/^https?:\/\/[^/?#\s]/i.test(url) || !URL.canParse(url)) {
    throw new Wrong(where, url, "an absolute http or https URL");
  }
  return url.includes("#") ? url.slice(0, url.indexOf("#")) : url;
}

function message(
  httpVersion: HttpVersion,
  given: readonly Field[],
  bytes: Uint8Array,
  where: string,
): StoredMessage {
  const fields = given.map(([name, value]) => {
    const octets = toOctets(value);
    try {
      checkField(name, octets);
    } catch (error) {
      throw new Wrong(where, undefined, "", `cannot be sent: ${reasonOf(error)}`);
    }
    return `${name}: ${octets}\r\n`;
  }).join("");
  const coding = FlowHeaders.fromFields(fields).get("content-encoding") ?? "";
  return { httpVersion, fields, trailers: undefined, body: storedBody(undoCoding(bytes, coding)) };
}

/** The text of a value, where HTTP has octets. */
function toOctets(value: string): string {
  // deno-lint-ignore no-control-regex -- the octets of a field value
  return /^[\x00-\xff]*$/.test(value) ? value : Buffer.from(value).toString("latin1");
}

function storedBody({ body, encoded }: { body: Uint8Array; encoded: boolean }): StoredBody | undefined {
  if (body.length === 0) return undefined;
  const value = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("base64");
  return { form: "base64", value, encoded };
}

/**
 * The body without its coding. Recorders keep the field `content-encoding` whether or not they have undone it, so that only the bytes can
 * tell.
 */
export function undoCoding(bytes: Uint8Array, coding: string): { body: Uint8Array; encoded: boolean } {
  // No coded data is text without control characters.
  if (coding.trim() === "" || bodyToText(bytes, null) !== undefined) return { body: bytes, encoded: false };
  try {
    return { body: decodeContent(bytes, coding), encoded: false };
  } catch {
    // It is damaged, or nobody knows the coding: replayed as it is.
    return { body: bytes, encoded: !canDecode(coding) || isCoded(bytes) };
  }
}

function isCoded(bytes: Uint8Array): boolean {
  const [a = 0, b = 0, c = 0, d = 0] = bytes;
  return (a === 0x1f && b === 0x8b) || (a === 0x78 && ((a << 8) | b) % 31 === 0) ||
    (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd);
}
