/**
 * A request or a response taken apart, by the names that matchers use: `query.page`, `headers.accept`, `json.lines[0].qty`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Flow } from "../flow.ts";
import { describeValue, shorten } from "../matcher/describe.ts";
import { essence, isText } from "../media_type.ts";
import type { Message } from "../message.ts";
import { isSensitiveName, redactText } from "../sensitive.ts";
import { lengthOf, payloadOf } from "./measure.ts";

/** A part, and what is shown of it. */
export interface Part {
  /** What is compared. */
  readonly raw: string;
  /** The same without credentials, and short. */
  readonly shown: string;
}

type Parts = Map<string, Part>;

/** So many values of one JSON body are parts of their own. */
const MAX_LEAVES = 200;
/** A longer text is compared as a whole and shown in short. */
const MAX_TEXT = 80;

/** The parts of what was asked for. */
export function requestParts(flow: Flow): Parts {
  const parts: Parts = new Map();
  if (flow.type === "tcp") {
    add(parts, "method", "TCP");
    add(parts, "host", flow.hostname);
    add(parts, "port", String(flow.port));
    add(parts, "length", String(flow.bytes.client));
    return parts;
  }
  const { request } = flow;
  add(parts, "method", request.method);
  add(parts, "scheme", request.scheme);
  add(parts, "host", request.hostname);
  add(parts, "port", String(request.port));
  add(parts, "path", request.path);
  const payload = payloadOf(flow);
  if (payload !== undefined) add(parts, "payload", payload);
  addGroups(parts, "query", request.query);
  addBody(parts, request);
  addGroups(parts, "cookies", Object.entries(request.cookies));
  addHeaders(parts, request, "cookie");
  return parts;
}

/** The parts of what came of it. */
export function responseParts(flow: Flow): Parts {
  const parts: Parts = new Map();
  if (flow.error !== undefined) add(parts, "error", flow.error.code);
  if (flow.type === "http" && flow.response !== undefined) add(parts, "status", String(flow.response.status));
  const length = lengthOf(flow);
  if (length !== undefined) add(parts, "length", String(length));
  if (flow.type === "tcp") return parts;
  const { response, websocket } = flow;
  if (websocket !== undefined) {
    add(parts, "messages", String(websocket.count));
    add(parts, "closeCode", String(websocket.closeCode ?? "open"));
  }
  if (response === undefined) return parts;
  add(parts, "reason", response.reason);
  addBody(parts, response);
  addHeaders(parts, response, "");
  return parts;
}

function add(parts: Parts, name: string, raw: string): void {
  parts.set(name, { raw, shown: shorten(redactText(raw.slice(0, 10 * MAX_TEXT)), MAX_TEXT) });
}

function addGroups(parts: Parts, place: string, pairs: Iterable<readonly [string, string]>): void {
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) groups.set(name, [...groups.get(name) ?? [], value]);
  for (const [name, values] of groups) {
    addValue(parts, `${place}.${name}`, values.length === 1 ? values[0] : values, name);
  }
}

function addHeaders(parts: Parts, message: Message, except: string): void {
  const fields = message.headers.raw.map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  addGroups(parts, "headers", fields.filter(([name]) => name !== except));
}

function addValue(parts: Parts, path: string, value: unknown, name: string): void {
  const shown = typeof value === "string" && !isSensitiveName(name)
    ? redactText(value.slice(0, 10 * MAX_TEXT))
    : describeValue(value, name);
  parts.set(path, { raw: JSON.stringify(value) ?? "", shown: shorten(shown, MAX_TEXT) });
}

function addBody(parts: Parts, message: Message): void {
  const { content } = message;
  if (!content.complete) return add(parts, "body", "has not arrived");
  if (content.size === 0) return;
  try {
    addContent(parts, message);
  } catch {
    addHash(parts, content.bytes());
  }
}

function addContent(parts: Parts, message: Message): void {
  const type = message.headers.get("content-type");
  const kind = essence(type);
  if (kind === "application/x-www-form-urlencoded" || kind === "multipart/form-data") {
    const form = message.form() as Iterable<[string, string | File]>;
    const pairs = Array.from(form, ([name, value]) => [name, typeof value === "string" ? value : value.name] as const);
    return addGroups(parts, "form", pairs);
  }
  const text = message.text();
  if (kind !== "" && !isText(type) || text.includes("\0")) return addHash(parts, message.body);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return add(parts, "body", text);
  }
  addJson(parts, json, "json", "");
}

function addHash(parts: Parts, bytes: Uint8Array): void {
  add(parts, "body", `${bytes.length} bytes ${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`);
}

function addJson(parts: Parts, value: unknown, path: string, name: string, depth = 0): void {
  const nested = typeof value === "object" && value !== null && Object.keys(value).length > 0 && depth < 20 &&
    !isSensitiveName(name);
  if (!nested) return addValue(parts, path, value, name);
  for (const [key, member] of Object.entries(value)) {
    // What is too much for a part of its own is compared as a whole.
    if (parts.size > MAX_LEAVES) return addValue(parts, `${path}…`, value, name);
    const step = Array.isArray(value)
      ? `[${key}]`
      : /^[A-Za-z_$][\w$-]*$/.test(key)
      ? `.${key}`
      : `[${JSON.stringify(key)}]`;
    addJson(parts, member, path + step, Array.isArray(value) ? name : key, depth + 1);
  }
}
