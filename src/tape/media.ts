/**
 * How bodies stand on a tape: as text where that gives the same bytes back, and in files with a fitting extension.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { essence, isJson, isText, parameter } from "../flow/media_type.ts";

/** The body as text; `undefined` when the text would not give back every byte, or nobody could read it. */
export function bodyToText(bytes: Uint8Array, contentType: string | null): string | undefined {
  const charset = charsetOf(contentType);
  // Runtimes disagree about 0x80 to 0x9f in ISO-8859-1, about which all else agrees.
  if (LATIN1.has(charset)) return bytes.some((byte) => byte >= 0x80 && byte < 0xa0) ? undefined : latin1(bytes);
  if (charset !== "utf-8" && charset !== "utf8" && bytes.some((byte) => byte >= 0x80)) return undefined;
  if (charset.startsWith("utf-16") || charset.startsWith("utf-32")) return undefined;
  const text = utf8Text(bytes);
  if (text === undefined) return undefined;
  // deno-lint-ignore no-control-regex -- control characters are the sign of a binary format
  return isText(contentType) || !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) ? text : undefined;
}

/** The bytes as UTF-8; `undefined` when they are none. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a body that stands as text. */
export function textToBody(text: string, contentType: string | null): Uint8Array {
  // deno-lint-ignore no-control-regex -- all that ISO-8859-1 holds
  const fits = LATIN1.has(charsetOf(contentType)) && /^[\x00-\xff]*$/.test(text);
  return Buffer.from(text, fits ? "latin1" : "utf8");
}

/** Whether bytes begin like a JSON object or array, whatever their media type says. */
export function looksLikeJson(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length && (bytes[at] === 0x20 || (bytes[at]! >= 0x09 && bytes[at]! <= 0x0d))) at++;
  return bytes[at] === 0x7b || bytes[at] === 0x5b;
}

/** The extension of a file with a body of this media type, without the dot. */
export function extensionOf(contentType: string | null): string {
  const type = essence(contentType);
  if (Object.hasOwn(EXTENSIONS, type)) return EXTENSIONS[type]!;
  if (isJson(type)) return "json";
  if (type.endsWith("+xml")) return "xml";
  return isText(type) ? "txt" : "bin";
}

const LATIN1: ReadonlySet<string> = new Set(["iso-8859-1", "latin1", "windows-1252", "us-ascii", "ascii"]);

const EXTENSIONS: Record<string, string> = {
  "application/gzip": "gz",
  "application/javascript": "js",
  "application/jsonl": "jsonl",
  "application/pdf": "pdf",
  "application/vnd.apple.mpegurl": "m3u8",
  "application/wasm": "wasm",
  "application/x-javascript": "js",
  "application/x-ndjson": "jsonl",
  "application/xhtml+xml": "xhtml",
  "application/xml": "xml",
  "application/yaml": "yaml",
  "application/zip": "zip",
  "audio/mpeg": "mp3",
  "audio/ogg": "ogg",
  "audio/wav": "wav",
  "font/otf": "otf",
  "font/ttf": "ttf",
  "font/woff": "woff",
  "font/woff2": "woff2",
  "image/avif": "avif",
  "image/gif": "gif",
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/svg+xml": "svg",
  "image/vnd.microsoft.icon": "ico",
  "image/webp": "webp",
  "image/x-icon": "ico",
  "text/css": "css",
  "text/csv": "csv",
  "text/html": "html",
  "text/javascript": "js",
  "text/markdown": "md",
  "text/xml": "xml",
  "video/mp4": "mp4",
  "video/webm": "webm",
};

function charsetOf(contentType: string | null): string {
  return (parameter(contentType, "charset") ?? "utf-8").toLowerCase();
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
