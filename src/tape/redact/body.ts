/**
 * Takes secrets out of bodies: JSON members, form fields, parts, what stands in text. Every other byte stays as it is.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { essence, parameter } from "../../flow/media_type.ts";
import { eachWord, replaceTokens } from "../../flow/token_shapes.ts";
import { changeGrpc, grpcText, isGrpc } from "../streams/grpc.ts";
import { changeProtobuf, protobufText } from "../streams/protobuf.ts";
import { kindOf, PROTOBUF } from "./body_kind.ts";
import { latin1, toText } from "./encoding.ts";
import { type JsonValue, replaceJson } from "./json_scan.ts";
import { decodePlaceholders, isPlaceholder } from "./placeholders.ts";
import { looksRandom } from "./random.ts";
import type { Secrets } from "./secrets.ts";
import { atOnce, pieces } from "./steps.ts";
import { decode, redactText, type TextKind } from "./text.ts";
import { isAmbiguousName } from "../../flow/sensitive.ts";

/** The body without what is secret; the same array when there is nothing. */
export function* redactBody(
  bytes: Uint8Array,
  contentType: string | null,
  secrets: Secrets,
): Generator<void, Uint8Array> {
  if (bytes.length === 0) return bytes;
  const kind = kindOf(bytes, contentType);
  if (kind === "multipart") return yield* redactMultipart(bytes, contentType!, secrets);
  const body = kind === "binary" ? undefined : toText(bytes, contentType);
  if (body === undefined) return redactBinary(bytes, contentType, secrets);
  const clean = yield* redactDocument(body.text, kind as TextKind | "form", secrets);
  return clean === body.text ? bytes : body.encode(clean);
}

function* redactDocument(text: string, kind: TextKind | "form", secrets: Secrets): Generator<void, string> {
  if (kind === "json") text = yield* redactJson(text, secrets);
  if (kind === "form") text = redactForm(text, secrets);
  const rest: string[] = [];
  for (const piece of pieces(text, kind === "markup" ? "tag" : "line")) {
    rest.push(kind === "form" ? secrets.shapes(piece) : redactText(piece, kind, secrets));
    yield;
  }
  return secrets.custom(rest.join(""));
}

function* redactJson(text: string, secrets: Secrets): Generator<void, string> {
  return yield* replaceJson(text, (value) => redactMember(text, value, secrets));
}

function redactMember(text: string, { path, start, end, kind }: JsonValue, secrets: Secrets): string | undefined {
  if (kind === "word" || (kind === "string" && end - start === 2)) return undefined;
  for (let depth = path.length; depth > 0; depth--) {
    if (!secrets.isPlace(path, depth)) continue;
    if (secrets.isAllowedPlace(path)) return undefined;
    // The version of a package of that name.
    if (kind === "string" && VERSION.test(text.slice(start + 1, end - 1))) return undefined;
    if (kind === "string") return hideLiteral(text.slice(start, end), nameIn(path, depth), secrets);
    // A number stays a number. Below a secret name it is a lifetime or a count more often than a secret.
    return depth === path.length ? "0" : undefined;
  }
  if (kind !== "string") return undefined;
  const name = path.at(-1) ?? "";
  if (end - start > 22 && isAmbiguousName(name) && looksRandom(text.slice(start + 1, end - 1), { least: 20 })) {
    return hideLiteral(text.slice(start, end), name, secrets);
  }
  if (end - start > 18) {
    const literal = text.slice(start, end);
    // A token may be written with escapes, or stand in JSON in base64.
    if (literal.includes("\\u00")) return redactEscaped(literal, secrets);
    if (literal.startsWith('"eyJ') && holdsSecretInBase64(literal.slice(1, -1), secrets)) {
      return hideLiteral(literal, name || "base64", secrets);
    }
  }
  return (INNER_JSON[text.charCodeAt(start + 1)] ?? 1) ? redactInnerJson(text.slice(start, end), secrets) : undefined;
}

function redactEscaped(literal: string, secrets: Secrets): string | undefined {
  try {
    const value = JSON.parse(literal) as string;
    const inner = /^\s*[{[]/.test(value) ? atOnce(redactJson(value, secrets)) : value;
    const clean = secrets.shapes(inner);
    return clean === value ? undefined : JSON.stringify(clean);
  } catch {
    return undefined;
  }
}

/** `eyJ` is how base64 of `{"` begins. A JWT has dots, and is known by its shape. */
function holdsSecretInBase64(value: string, secrets: Secrets): boolean {
  if (value.length > 65_536 || !/^[\w+/-]+={0,2}$/.test(value)) return false;
  const text = Buffer.from(value, "base64").toString("utf8");
  try {
    JSON.parse(text);
  } catch {
    return false;
  }
  const clean = atOnce(redactJson(text, secrets));
  return clean !== text || secrets.shapes(text) !== text;
}

const VERSION = /^(?:[~^<>=v ]{1,3}\d+|\d+\.\d+\.\d+)(?:[.-]\w+)*$/;

/** The name under which a secret stands: `tokens: ["a", "b"]` has no other. */
function nameIn(path: readonly string[], depth: number): string {
  return path[depth - 1]!;
}

function hideLiteral(literal: string, name: string, secrets: Secrets): string {
  let value = literal.slice(1, literal.length > 1 && literal.endsWith('"') ? -1 : undefined);
  try {
    value = JSON.parse(literal) as string;
  } catch {
    // What was cut off is taken as it stands.
  }
  return isPlaceholder(value) && secrets.plain(value) === value ? literal : JSON.stringify(secrets.hide(value, name));
}

/** What JSON in a string may begin with: white space, which may be escaped, or a bracket. */
const INNER_JSON = Uint8Array.from({ length: 128 }, (_, code) => /[\s[{]/.test(String.fromCharCode(code)) ? 1 : 0);

/** JSON that travels as a string within JSON. */
function redactInnerJson(literal: string, secrets: Secrets): string | undefined {
  if (!/^"\s*[{[]/.test(literal) || !literal.includes('\\"')) return undefined;
  try {
    const inner = JSON.parse(literal) as string;
    const clean = atOnce(redactJson(inner, secrets));
    return clean === inner ? undefined : JSON.stringify(clean);
  } catch {
    return undefined;
  }
}

function redactForm(text: string, secrets: Secrets): string {
  return decodePlaceholders(text).replace(
    /(^|&)([^=&]*)=([^&]+)/g,
    (pair, mark: string, name: string, value: string) => {
      const plain = decode(value);
      const clean = secrets.field(decode(name), plain);
      if (clean !== plain) return `${mark}${name}=${clean}`;
      // JSON and URLs travel in forms too.
      if (!/^[{[]|:\/\//.test(plain)) return pair;
      const inner = atOnce(redactDocument(plain, /^[{[]/.test(plain) ? "json" : "plain", secrets));
      return inner === plain ? pair : `${mark}${name}=${encodeURIComponent(inner)}`;
    },
  );
}

function* redactMultipart(bytes: Uint8Array, contentType: string, secrets: Secrets): Generator<void, Uint8Array> {
  const boundary = parameter(contentType, "boundary")!;
  const body = latin1(bytes);
  const parts = body.split(`--${boundary}`);
  for (const [i, part] of parts.entries()) {
    const blank = part.indexOf("\r\n\r\n");
    const end = part.endsWith("\r\n") ? part.length - 2 : part.length;
    if (blank < 0 || end <= blank + 4) continue;
    const head = part.slice(0, blank + 4);
    const name = parameter(/^content-disposition:(.*)$/im.exec(head)?.[1], "name");
    const type = /^content-type:[ \t]*(.*?)[ \t]*$/im.exec(head)?.[1] ?? null;
    const content = part.slice(blank + 4, end);
    const plainName = Buffer.from(name ?? "", "latin1").toString("utf8");
    const value = Buffer.from(content, "latin1").toString("utf8");
    const clean = name === undefined ? value : secrets.field(plainName, value);
    const redacted = clean !== value
      ? Buffer.from(clean)
      : yield* redactBody(Buffer.from(content, "latin1"), type, secrets);
    parts[i] = redactText(head, "plain", secrets) + latin1(redacted) + part.slice(end);
  }
  const clean = parts.join(`--${boundary}`);
  return clean === body ? bytes : Buffer.from(clean, "latin1");
}

/** In binary formats lengths count: a token is overwritten in its place. */
function redactBinary(bytes: Uint8Array, contentType: string | null, secrets: Secrets): Uint8Array {
  const type = essence(contentType);
  if (/^(?:image|audio|video|font)\//.test(type)) return bytes;
  const hide = (text: string) =>
    replaceTokens(text, (token) => secrets.isAllowed(token) ? token : "*".repeat(token.length));
  // What stands in front of a text and behind it may be letters too: its length, and the next field.
  if (isGrpc(contentType)) {
    bytes = changeGrpc(bytes, hide);
    if (grpcText(bytes) !== undefined) return bytes;
  }
  if (PROTOBUF.test(type) && protobufText(bytes) !== undefined) return changeProtobuf(bytes, hide);
  const text = latin1(bytes);
  const clean = hide(hideCounted(text, hide));
  return clean === text ? bytes : Buffer.from(clean, "latin1");
}

/** Many formats have the length of a text in the byte before it, which may be a letter or a digit. */
function hideCounted(text: string, hide: (text: string) => string): string {
  const found: [start: number, text: string][] = [];
  eachWord(text, 17, (start) => {
    const length = text.charCodeAt(start);
    const counted = text.slice(start + 1, start + 1 + length);
    const clean = counted.length === length ? hide(counted) : counted;
    if (clean !== counted) found.push([start + 1, clean]);
  });
  let result = "";
  let copied = 0;
  for (const [start, clean] of found) {
    if (start < copied) continue;
    result += text.slice(copied, start) + clean;
    copied = start + clean.length;
  }
  return copied === 0 ? text : result + text.slice(copied);
}
