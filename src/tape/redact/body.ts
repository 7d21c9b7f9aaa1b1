/**
 * Takes credentials out of bodies: JSON members, form fields, tokens in text. Every other byte stays as it is.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { essence, isJson, isText, parameter } from "../../flow/media_type.ts";
import { REDACTED } from "../../flow/sensitive.ts";
import { replaceJson } from "./json_scan.ts";
import { looksLikeJson } from "../media.ts";
import type { Secrets } from "./redactor.ts";

/** The body without what is secret; the same array when there is nothing. */
export function redactBody(bytes: Uint8Array, contentType: string | null, secrets: Secrets): Uint8Array {
  if (bytes.length === 0) return bytes;
  const type = essence(contentType);
  if (type === "multipart/form-data") return redactMultipart(bytes, contentType!, secrets);
  const json = isJson(contentType) || looksLikeJson(bytes) || /ndjson|jsonl|event-stream/.test(type);
  if (!json && type !== "" && !isText(contentType)) return bytes;

  const { text, encoding } = toText(bytes);
  if (text === undefined) return bytes;
  let clean = text;
  if (json) clean = redactJsonText(clean, secrets);
  else if (type === "application/x-www-form-urlencoded") clean = redactForm(clean, secrets);
  clean = secrets.text(clean);
  return clean === text ? bytes : Buffer.from(clean, encoding);
}

/** ASCII is enough to find names; bytes that are not UTF-8 come back as they were. */
function toText(bytes: Uint8Array): { text: string | undefined; encoding: "utf8" | "latin1" } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), encoding: "utf8" };
  } catch {
    const text = bytes.includes(0) ? undefined : Buffer.from(bytes).toString("latin1");
    return { text, encoding: "latin1" };
  }
}

const quoted = JSON.stringify(REDACTED);

function redactJsonText(text: string, secrets: Secrets): string {
  return replaceJson(text, ({ path, start, end, kind }) => {
    const empty = kind === "string" && end - start === 2;
    if (kind === "word" || empty) return undefined;
    for (let depth = path.length; depth > 0; depth--) {
      if (!secrets.json(depth === path.length ? path : path.slice(0, depth))) continue;
      if (kind === "string") return quoted;
      // A number stays a number. Below a secret name it is a lifetime or a count more often than a secret.
      return depth === path.length ? "0" : undefined;
    }
    return kind === "string" ? redactInnerJson(text.slice(start, end), secrets) : undefined;
  });
}

/** JSON that travels as a string within JSON. */
function redactInnerJson(literal: string, secrets: Secrets): string | undefined {
  if (!/^"\s*[{[]/.test(literal) || !literal.includes('\\"')) return undefined;
  try {
    const inner = JSON.parse(literal) as string;
    const clean = redactJsonText(inner, secrets);
    return clean === inner ? undefined : JSON.stringify(clean);
  } catch {
    return undefined;
  }
}

function redactForm(text: string, secrets: Secrets): string {
  return text.replace(/(^|&)([^=&]*)=([^&]+)/g, (pair, mark: string, name: string) => {
    let plain = name;
    try {
      plain = decodeURIComponent(name.replaceAll("+", " "));
    } catch {
      // A name that cannot be decoded is compared as it stands.
    }
    return secrets.field(plain) ? `${mark}${name}=${REDACTED}` : pair;
  });
}

function redactMultipart(bytes: Uint8Array, contentType: string, secrets: Secrets): Uint8Array {
  const boundary = parameter(contentType, "boundary");
  if (!boundary) return bytes;
  const body = Buffer.from(bytes).toString("latin1");
  const parts = body.split(`--${boundary}`);
  const clean = parts.map((part) => {
    const blank = part.indexOf("\r\n\r\n");
    if (blank < 0) return part;
    const disposition = /^content-disposition:(.*)$/im.exec(part.slice(0, blank))?.[1];
    const name = parameter(disposition, "name");
    const end = part.endsWith("\r\n") ? part.length - 2 : part.length;
    if (name === undefined || end <= blank + 4) return part;
    const head = part.slice(0, blank + 4);
    if (secrets.field(Buffer.from(name, "latin1").toString("utf8"))) return head + REDACTED + part.slice(end);
    const type = /^content-type:[ \t]*(.*?)[ \t]*$/im.exec(head)?.[1] ?? null;
    const content = redactBody(Buffer.from(part.slice(blank + 4, end), "latin1"), type, secrets);
    return head + Buffer.from(content).toString("latin1") + part.slice(end);
  }).join(`--${boundary}`);
  return clean === body ? bytes : Buffer.from(clean, "latin1");
}
