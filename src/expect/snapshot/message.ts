/**
 * Header fields and bodies as a snapshot shows them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { essence, isText } from "../../flow/media_type.ts";
import type { Message } from "../../flow/message.ts";
import { isVolatileField } from "../../tape/match/volatile.ts";
import type { Redactor } from "../../tape/redact/redactor.ts";
import type { SnapshotOptions } from "./options.ts";
import type { Stable } from "./stable.ts";

/** What makes values the same in every run, and takes secrets out of them. */
export interface Tools {
  readonly redactor: Redactor;
  readonly stable: Stable;
  readonly options: SnapshotOptions;
}

/** The header fields that are shown, in lower case and in the order of the alphabet; `undefined` when there is none. */
export function headersOf({ headers }: Message, tools: Tools): Record<string, string | string[]> | undefined {
  const { headers: wanted = SHOWN } = tools.options;
  const isShown = wanted === "all"
    ? (name: string) => !isVolatileField(name) && !VOLATILE.test(name)
    : (name: string) => wanted.some((one) => one.toLowerCase() === name);
  const names = [...new Set(headers.raw.map(([name]) => name.toLowerCase()))].filter(isShown).sort();
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name) => {
    const values = headers.getAll(name).map((value) => fieldOf(name, value, tools));
    return [name, values.length === 1 ? values[0]! : values];
  }));
}

const SHOWN: readonly string[] = ["authorization", "content-type", "cookie", "location", "set-cookie"];

/** What the runtime of a client and the server put into every message. */
const VOLATILE =
  /^(?:accept-language|sec-.*|priority|server|via|age|expires|last-modified|etag|x-powered-by|alt-svc|pragma)$/;

function fieldOf(name: string, value: string, { redactor, stable }: Tools): string {
  // Runtimes write it in other cases, and make boundaries anew.
  if (name === "content-type") value = value.replace(/;\s*boundary=("[^"]*"|[^;]*)/i, "").toLowerCase();
  return stable.text(redactor.header(name, value));
}

/** The body of a message; `undefined` when it is empty. */
export function bodyOf(message: Message, tools: Tools): unknown {
  const { content } = message;
  if (!content.complete) return "[has not arrived]";
  if (content.size === 0) return undefined;
  if (message.bodyTruncated) return `[${content.size} bytes, not kept in full]`;
  const type = message.headers.get("content-type");
  try {
    if (/^(?:application\/x-www-form-urlencoded|multipart\/form-data)$/.test(essence(type))) {
      return shortened(formOf(message, tools), tools);
    }
    return dataOf(message.body, type, tools);
  } catch {
    // It cannot be decoded.
    return binary(content.bytes());
  }
}

/** A body or a message: JSON, text, or the length and hash of anything else. */
export function dataOf(bytes: Uint8Array, type: string | null, tools: Tools): unknown {
  if (bytes.length > LARGEST) return binary(bytes);
  const clean = tools.redactor.body(bytes, type);
  const text = textOf(clean, type);
  if (text === undefined) return binary(bytes);
  const document = parse(text);
  return shortened(document === undefined ? tools.stable.text(text) : tools.stable.json(document.value), tools);
}

/** Nobody reads more, and taking secrets out of it takes long. */
const LARGEST = 4 * 1024 * 1024;

function formOf(message: Message, { redactor, stable }: Tools): unknown {
  const values: Record<string, unknown> = {};
  for (const [name, value] of message.form()) {
    const shown = typeof value === "string"
      // A form of one field is what knows that the field is secret.
      ? stable.text(fieldOfForm(name, value, redactor))
      : { file: value.name, type: value.type.toLowerCase(), size: value.size };
    const before = Object.hasOwn(values, name) ? values[name] : undefined;
    const all = before === undefined ? shown : [...(Array.isArray(before) ? before : [before]), shown];
    Object.defineProperty(values, name, { value: all, enumerable: true, configurable: true, writable: true });
  }
  return values;
}

function fieldOfForm(name: string, value: string, redactor: Redactor): string {
  const form = Buffer.from(String(new URLSearchParams([[name, value]])));
  const clean = redactor.body(form, "application/x-www-form-urlencoded");
  if (clean === form) return value;
  return new URLSearchParams(Buffer.from(clean).toString("utf8")).values().next().value ?? value;
}

function textOf(bytes: Uint8Array, type: string | null): string | undefined {
  if (essence(type) !== "" && !isText(type)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  return text.includes("\0") || text.includes("\ufffd") ? undefined : text;
}

function parse(text: string): { readonly value: unknown } | undefined {
  if (!/^\s*[{["\d\-tfn]/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** What is too long is known by its beginning, its length and its hash. */
function shortened(value: unknown, { options: { maxBody = 2000 } }: Tools): unknown {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (text.length <= maxBody) return value;
  return `${text.slice(0, Math.min(maxBody, 200))}… [${text.length} characters, SHA-256 ${hash(text)}]`;
}

function binary(bytes: Uint8Array): string {
  return `[${bytes.length} bytes, SHA-256 ${hash(bytes)}]`;
}

function hash(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 16);
}
