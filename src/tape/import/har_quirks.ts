/**
 * How the HAR files of others differ from HAR 1.2, and from one another.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isText } from "../../flow/media_type.ts";
import { isObject, type Json } from "../har_read.ts";
import { undoCoding } from "./exchange.ts";
import { hexOf } from "./fields.ts";

/** Why an entry is none that a proxy could replay; `undefined` when it is one. */
export function whyLeftOut({ request, response }: Json, creator: string): string | undefined {
  if (!isObject(request) || !isObject(response)) return undefined;
  const { method, url } = request;
  if (typeof method === "string" && method.toUpperCase() === "CONNECT") {
    return "a tunnel, whose requests stand by themselves";
  }
  const scheme = typeof url === "string" ? /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() : undefined;
  if (scheme !== undefined && !["http", "https", "ws", "wss"].includes(scheme)) {
    return `${scheme}: is no request over the network`;
  }
  const { status } = response;
  if (status === 0 && creator.startsWith("Insomnia")) return "it was not sent";
  if (typeof status === "number" && status >= 100 && status < 200 && status !== 101) {
    return `status ${status} only announces an answer`;
  }
  return undefined;
}

/** The entry as HAR 1.2 has it. */
export function repairEntry(entry: Json): Json {
  const { request, response } = entry;
  if (!isObject(request) || !isObject(response)) return entry;
  const headers = unfoldCookies(response.headers ?? [], response.cookies);
  const coding = valueOf(headers, "content-encoding");
  return {
    ...entry,
    request: { ...request, headers: request.headers ?? [], postData: repairPostData(request) },
    response: {
      ...response,
      headers,
      statusText: typeof response.statusText === "string" ? response.statusText.replace(/[\r\n]+/g, " ") : "",
      content: repairContent(response.content ?? {}, coding),
    },
  };
}

function repairPostData({ postData, headers, bodySize }: Json): unknown {
  if (!isObject(postData)) return postData;
  // With the fields of a multipart form alone, the body is lost: as a urlencoded one it would be another.
  const { params, text, mimeType } = postData;
  const isForm = /^(?:application\/x-www-form-urlencoded|$)/i.test(typeof mimeType === "string" ? mimeType : "");
  if (Array.isArray(params) && !isForm && (text === undefined || text === "")) return { ...postData, params: [] };
  // Charles reads what says that it is a form as one, and it may be JSON.
  const [only] = Array.isArray(params) && params.length === 1 ? params as Json[] : [];
  if (
    text === undefined && only?.value === "" && typeof only.name === "string" &&
    Buffer.byteLength(only.name) === bodySize
  ) {
    return { ...postData, text: only.name };
  }
  // Polly keeps what is no text as hexadecimal digits, and nothing says so but the length.
  const bytes = hexOf(text);
  if (bytes !== undefined && bytes.length > 0 && valueOf(headers, "content-length") === String(bytes.length)) {
    return { ...postData, ...inBase64(bytes, false) };
  }
  return repairText(postData);
}

function repairContent(content: unknown, coding: string): unknown {
  if (!isObject(content)) return content;
  const polly = pollyChunks(content, coding);
  if (polly !== undefined) {
    const { body, encoded } = undoCoding(polly, coding);
    return { ...content, ...inBase64(body, encoded) };
  }
  const { text, encoding } = content;
  if (encoding === "base64" && typeof text === "string" && coding !== "") {
    const { body, encoded } = undoCoding(Buffer.from(text, "base64"), coding);
    return { ...content, ...inBase64(body, encoded) };
  }
  return repairText(content);
}

/** A body that Polly has kept with its coding: its chunks in base64 as an array of JSON; old versions have hexadecimal digits. */
function pollyChunks({ text, encoding, _isBinary }: Json, coding: string): Uint8Array | undefined {
  if (typeof text !== "string") return undefined;
  if (_isBinary === true && !text.startsWith("[")) return hexOf(text) ?? Buffer.from(text, "base64");
  if (coding === "" || !text.startsWith("[") || (encoding !== "base64" && _isBinary !== true)) return undefined;
  try {
    const chunks: unknown = JSON.parse(text);
    if (!Array.isArray(chunks) || !chunks.every((chunk) => typeof chunk === "string")) return undefined;
    return Buffer.concat(
      chunks.map((chunk) => (encoding === "base64" ? undefined : hexOf(chunk)) ?? Buffer.from(chunk, "base64")),
    );
  } catch {
    return undefined;
  }
}

/** Text with bytes in it that are no text: Python escapes them so, and mitmproxy writes that. */
function repairText(body: Json): Json {
  const { text, encoding } = body;
  // Some say that text is text.
  const plain = typeof encoding === "string" && /^(?:utf-?8|text|plain)?$/i.test(encoding);
  const rest = plain ? { ...body, encoding: undefined } : body;
  if (typeof text !== "string" || encoding === "base64") return rest;
  const octets = octetsOf(text, body);
  if (octets !== undefined) return { ...rest, ...inBase64(octets, false) };
  if (!/[\udc80-\udcff]/.test(text) || text.isWellFormed()) return rest;
  const bytes: Uint8Array[] = [];
  for (const part of text.split(/((?<![\ud800-\udbff])[\udc80-\udcff])/)) {
    bytes.push(/^[\udc80-\udcff]$/.test(part) ? Uint8Array.of(part.charCodeAt(0) & 0xff) : Buffer.from(part));
  }
  return { ...rest, ...inBase64(Buffer.concat(bytes), false) };
}

/** Of bytes that nobody can read, mitmproxy makes a character each, unless most of the first are no text; the length tells. */
function octetsOf(text: string, { mimeType, size, compression }: Json): Uint8Array | undefined {
  if (isText(typeof mimeType === "string" ? mimeType : "") || !/[\x80-\xff]/.test(text)) return undefined;
  if (/[\u0100-\uffff]/.test(text)) return undefined;
  const whole = Number(size) + (typeof compression === "number" ? compression : 0);
  return text.length === size || text.length === whole ? Buffer.from(text, "latin1") : undefined;
}

/** mitmproxy 8 writes `a=1, b=2` where two cookies were set; HTTP cannot tell that from one. */
function unfoldCookies(headers: unknown, cookies: unknown): unknown {
  if (!Array.isArray(headers) || !Array.isArray(cookies) || cookies.length < 2) return headers;
  const set = headers.filter((field) => isObject(field) && /^set-cookie$/i.test(String(field.name)));
  if (set.length !== 1 || typeof set[0].value !== "string" || set[0].value.includes("\n")) return headers;
  const values = set[0].value.split(/,\s*(?=[^\s;,=]+=)/);
  if (values.length !== cookies.length) return headers;
  return headers.flatMap((field) => field === set[0] ? values.map((value: string) => ({ ...field, value })) : [field]);
}

function inBase64(bytes: Uint8Array, encoded: boolean): Json {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return { text, encoding: "base64", _encoding: undefined, ...(encoded && { _encoded: true }) };
}

function valueOf(headers: unknown, wanted: string): string {
  if (!Array.isArray(headers)) return "";
  const field = headers.find((it) => isObject(it) && typeof it.name === "string" && it.name.toLowerCase() === wanted);
  return typeof field?.value === "string" ? field.value : "";
}
