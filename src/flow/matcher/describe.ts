/**
 * Values as one line for people: short, and without credentials.
 *
 * @module
 */
import { isSensitiveName, REDACTED } from "../sensitive.ts";
import { asAsymmetric } from "./asymmetric.ts";
import type { UrlPattern } from "./types.ts";

/** Nothing longer than this is printed in full. */
export const MAX_PRINTED = 2048;

/** Text cut to a length, with how much is missing. */
export function shorten(text: string, max: number = MAX_PRINTED): string {
  return text.length <= max ? text : `${text.slice(0, max)}… (${text.length - max} more characters)`;
}

/** A function as its name, or its source on one line. */
// deno-lint-ignore ban-types -- any function can be described
export function describeFunction(fn: Function): string {
  if (fn.name !== "") return fn.name;
  const source = String(fn).replace(/\s+/g, " ").trim();
  return source.length <= 80 ? source : `${source.slice(0, 79)}…`;
}

/**
 * A value of a matcher or of a body as one line: strings in quotes, the rest as in a source.
 *
 * @param name the name it stands under: the value of a sensitive one is not shown
 * @param longest how much of a string is shown
 */
export function describeValue(value: unknown, name: string = "", longest: number = MAX_PRINTED): string {
  return shorten(describe(value, name, 0, longest));
}

function describe(value: unknown, name: string, depth: number, longest: number): string {
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (isSensitiveName(name)) return REDACTED;
  if (typeof value === "string") {
    return value.length <= longest
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, longest)).slice(0, -1)}…"`;
  }
  if (typeof value === "function") return asAsymmetric(value)?.text ?? describeFunction(value);
  return typeof value === "object" ? describeObject(value, name, depth, longest) : String(value);
}

function describeObject(value: object, name: string, depth: number, longest: number): string {
  if (isRegExp(value)) return String(value);
  const asymmetric = asAsymmetric(value);
  if (asymmetric !== undefined) return asymmetric.text;
  if (value instanceof Uint8Array) return describeBytes(value);
  if (isUrlPattern(value)) return describeUrlPattern(value);
  if (depth > 8) return "…";
  if (Array.isArray(value)) return `[${limited(value, (one) => describe(one, name, depth + 1, longest))}]`;
  const members = limited(Object.entries(value).filter(([, member]) => member !== undefined), ([key, member]) => {
    return `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)}: ${
      describe(member, key, depth + 1, longest)
    }`;
  });
  return members === "" ? "{}" : `{ ${members} }`;
}

/** No more is made than can be printed. */
function limited<T>(items: readonly T[], text: (item: T) => string): string {
  const parts: string[] = [];
  let length = 0;
  for (const item of items) {
    if (length > MAX_PRINTED) return `${parts.join(", ")}, … ${items.length - parts.length} more`;
    const part = text(item);
    length += part.length;
    parts.push(part);
  }
  return parts.join(", ");
}

function describeBytes(bytes: Uint8Array): string {
  const hex = Array.from(bytes.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `${bytes.length} bytes <${hex}${bytes.length > 16 ? " …" : ""}>`;
}

/** A pattern of the platform, or of a polyfill: Node 22 has no `URLPattern`. */
export function isUrlPattern(value: object): value is UrlPattern {
  const { test, exec } = value as { test?: unknown; exec?: unknown };
  return typeof test === "function" && typeof exec === "function" && "pathname" in value && "hostname" in value;
}

/** Also one of another realm: test runners evaluate test files in contexts of their own. */
export function isRegExp(value: unknown): value is RegExp {
  return Object.prototype.toString.call(value) === "[object RegExp]";
}

/** Such as `URLPattern(https://*.shop.test/*)`. */
export function describeUrlPattern(pattern: UrlPattern): string {
  const { protocol, hostname, port, pathname, search } = pattern;
  const authority = `${hostname}${port === "" ? "" : `:${port}`}`;
  return `URLPattern(${protocol}://${authority}${pathname}${search === "" || search === "*" ? "" : `?${search}`})`;
}
