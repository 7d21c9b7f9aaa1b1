/**
 * A body as lines of text: JSON with its keys in order, a form field by field, text as it stands, and a line about anything else.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { essence, isText } from "../media_type.ts";
import type { Message } from "../message.ts";
import { isSensitiveName, REDACTED, redactText } from "../sensitive.ts";

/** A line of text, and what is shown of it. */
export interface Line {
  /** What is compared. */
  readonly raw: string;
  /** The same without credentials. */
  readonly shown: string;
}

/** A line that holds nothing secret. */
export function plain(text: string): Line {
  return { raw: text, shown: text };
}

/** So much of a body is compared line by line; of what is longer, the rest is compared as a whole. */
const MAX_CHARACTERS = 256 * 1024;
const MAX_LINES = 5000;

/** The lines of a body; none when it is empty. */
export function bodyLines(message: Message): Line[] {
  const { content } = message;
  if (!content.complete) return [plain("(the body has not arrived)")];
  if (content.size === 0) return [];
  const note = message.bodyTruncated ? [plain(`(${content.kept} of ${content.size} bytes were kept)`)] : [];
  try {
    return [...contentLines(message), ...note];
  } catch {
    return [plain(`(${content.size} bytes that cannot be decoded, SHA-256 ${hash(content.bytes())})`), ...note];
  }
}

function contentLines(message: Message): Line[] {
  const type = message.headers.get("content-type");
  const kind = essence(type);
  const { body } = message;
  if (kind === "application/x-www-form-urlencoded" || kind === "multipart/form-data") return formLines(message.form());
  const text = message.text();
  if (kind !== "" && !isText(type) || text.includes("\0")) {
    return [plain(`(${body.length} bytes, SHA-256 ${hash(body)})`)];
  }
  const json = /^\s*[{[]/.test(text) && text.length <= MAX_CHARACTERS * 4 ? parse(text) : undefined;
  return bounded(json === undefined ? textLines(text) : jsonLines(json), text);
}

function textLines(text: string): Line[] {
  const cut = text.slice(0, MAX_CHARACTERS);
  const raw = cut.split(/\r?\n/);
  const shown = redactText(cut).split(/\r?\n/);
  // A secret of several lines has become one: then what is shown is all that is compared.
  return raw.length === shown.length ? raw.map((line, i) => ({ raw: line, shown: shown[i]! })) : shown.map(plain);
}

function bounded(lines: Line[], text: string): Line[] {
  if (lines.length <= MAX_LINES && text.length <= MAX_CHARACTERS) return lines;
  return [...lines.slice(0, MAX_LINES), plain(`… the whole has ${text.length} characters, SHA-256 ${hash(text)}`)];
}

function formLines(form: Iterable<[string, string | File]>): Line[] {
  return Array.from(form, ([name, value]) => {
    const text = typeof value === "string" ? JSON.stringify(value) : `file ${value.name}, ${value.size} bytes`;
    return { raw: `${name} = ${text}`, shown: `${name} = ${isSensitiveName(name) ? REDACTED : redactText(text)}` };
  });
}

/** As `JSON.stringify` would write it, but line by line, with sorted keys, and each line knows what is secret in it. */
function jsonLines(document: unknown): Line[] {
  const lines: Line[] = [];
  const write = (value: unknown, lead: string, indent: string, end: string, name: string): void => {
    if (lines.length > MAX_LINES) return;
    const isList = Array.isArray(value);
    const isNested = typeof value === "object" && value !== null && indent.length < 2 * MAX_DEPTH;
    if (!isNested || isSensitiveName(name) || Object.keys(value).length === 0) {
      const text = JSON.stringify(value);
      const secret = isSensitiveName(name) && value !== null && typeof value !== "boolean";
      const shown = secret ? JSON.stringify(REDACTED) : redactText(text);
      lines.push({ raw: indent + lead + text + end, shown: indent + lead + shown + end });
      return;
    }
    lines.push(plain(`${indent}${lead}${isList ? "[" : "{"}`));
    const keys = isList ? value.keys() : Object.keys(value).sort();
    const last = (isList ? value.length : Object.keys(value).length) - 1;
    let place = 0;
    for (const key of keys) {
      const member = (value as Record<string | number, unknown>)[key];
      const comma = place++ < last ? "," : "";
      write(member, isList ? "" : `${JSON.stringify(key)}: `, `${indent}  `, comma, isList ? name : String(key));
    }
    lines.push(plain(`${indent}${isList ? "]" : "}"}${end}`));
  };
  write(document, "", "", "", "");
  return lines;
}

const MAX_DEPTH = 40;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hash(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 16);
}
