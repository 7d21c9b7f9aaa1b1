/**
 * Takes credentials out of what is written, and out of live requests before they are compared with it.
 * Redacting twice changes nothing: tapes of others hold credentials that are redacted when they are looked up.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { isSensitiveName, REDACTED, redactTokens } from "../../flow/sensitive.ts";
import type { RedactOptions } from "../options.ts";
import { pathTest } from "../../flow/json_path.ts";
import { redactBody } from "./body.ts";

/** What is secret, by name and by place. */
export interface Secrets {
  /** Whether a query parameter, form field or cookie of this name is. */
  field(name: string): boolean;
  /** Whether a header field is. */
  header(name: string): boolean;
  /** Whether the JSON value at this place is. */
  json(path: readonly string[]): boolean;
  /** Takes secrets of a known shape out of text. */
  text(text: string): string;
}

/** Redacts the parts of a message. */
export interface Redactor {
  /** A URL: password, query parameters, fragment. */
  url(url: string): string;
  /** The value of a header or trailer field. */
  header(name: string, value: string): string;
  /** A body without content coding. The same array when there is nothing to redact. */
  body(bytes: Uint8Array, contentType: string | null): Uint8Array;
  /** Any other text, such as the message of an error. */
  text(text: string): string;
}

/** The redactor that the options describe. */
export function createRedactor(options: false | RedactOptions = {}): Redactor {
  if (options === false) return NOTHING;
  const headers = new Set(options.headers?.map((name) => name.toLowerCase()));
  const fields = new Set(options.query?.map((name) => name.toLowerCase()));
  const places = pathTest(options.json ?? []);
  const custom = checked(options.custom);
  const sensitive = remember(isSensitiveName);
  const field = (name: string) => fields.has(name.toLowerCase()) || sensitive(name);
  const secrets: Secrets = {
    field,
    header: (name) => headers.has(name.toLowerCase()) || sensitive(name),
    json: (path) => sensitive(path.at(-1) ?? "") || places(path),
    text: (text) => custom(redactShapes(text, field)),
  };
  return {
    url: (url) => custom(redactUrl(url, field)),
    header: (name, value) => custom(redactHeader(name, value, secrets)),
    body: (bytes, contentType) => redactBody(bytes, contentType, secrets),
    text: secrets.text,
  };
}

const NOTHING: Redactor = {
  url: (url) => url,
  header: (_name, value) => value,
  body: (bytes) => bytes,
  text: (text) => text,
};

const PAIR = /([?&#])([^=&#?]+)=([^&#]*)/g;
/** What some servers take for "&". */
const PAIR_BEHIND_SEMICOLON = /(;)([^=&#?;]+)=([^&#;]*)/g;
/** The same in text, where a URL can end anywhere. */
const PAIR_IN_TEXT = /([?&#])([^\s=&#?"'<>]+)=([^\s&#"'<>]+)/g;

function redactUrl(url: string, secret: (name: string) => boolean): string {
  if (url.includes("@")) url = url.replace(/^([a-z][a-z\d+.-]*:\/\/)[^/?#]*@/i, `$1${REDACTED}@`);
  if (url.includes("=")) url = redactPairs(redactPairs(url, PAIR, secret), PAIR_BEHIND_SEMICOLON, secret);
  return redactTokens(url);
}

function redactPairs(text: string, pairs: RegExp, secret: (name: string) => boolean): string {
  return text.replace(
    pairs,
    (pair, mark: string, name: string, value: string) =>
      value !== "" && secret(decode(name)) ? `${mark}${name}=${REDACTED}` : pair,
  );
}

/** Tokens that name themselves (RFC 7519: base64 of `{"`), and the absolute URLs in text. */
function redactShapes(text: string, secret: (name: string) => boolean): string {
  if (text.includes("://")) text = text.replace(/https?:\/\/[^\s"'<>\\]+/gi, (url) => redactUrl(url, secret));
  return redactTokens(text);
}

function redactHeader(name: string, value: string, secrets: Secrets): string {
  // A flag tells nothing, and "Access-Control-Allow-Credentials: true" must stay what it is.
  if (value === "" || /^(?:true|false)$/i.test(value)) return value;
  const lower = name.toLowerCase();
  if (lower === "cookie") return redactCookies(value);
  if (lower === "set-cookie") return value.replace(/^([^=;]*=)[^;]+/, `$1${REDACTED}`);
  if (lower.endsWith("authorization")) return value.replace(/^([A-Za-z][\w-]*[ \t]+)?[^]*$/, `$1${REDACTED}`);
  if (secrets.header(name)) return REDACTED;
  // A challenge looks like a credential: "Bearer realm=..." (RFC 9110 section 11.6.1).
  if (!lower.endsWith("-authenticate")) value = value.replace(/\b(Bearer[ \t]+)[\w.~+/=-]{8,}/gi, `$1${REDACTED}`);
  if (/^[^\s<>]*[?#][^\s<>]*$/.test(value)) return redactUrl(value, secrets.field);
  // Relative URLs, as in Link and Refresh.
  return secrets.text(redactPairs(value, PAIR_IN_TEXT, secrets.field));
}

function redactCookies(value: string): string {
  return value.split(";").map((pair) => pair.replace(/^(\s*[^=]*=)[^]+$/, `$1${REDACTED}`)).join(";");
}

function checked(custom: RedactOptions["custom"]): (text: string) => string {
  if (custom === undefined) return (text) => text;
  return (text) => {
    const clean: unknown = custom(text);
    if (typeof clean === "string") return clean;
    throw new OptionsError(
      `tape.redact.custom returned ${clean === null ? "null" : typeof clean}: a string is expected`,
    );
  };
}

/** Bodies ask for the same few names again and again. */
function remember(test: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    let answer = known.get(name);
    if (answer === undefined) {
      if (known.size > 1000) known.clear();
      known.set(name, answer = test(name));
    }
    return answer;
  };
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}
