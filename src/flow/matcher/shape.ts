/**
 * A matcher from an object that gives some parts of a request.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import { REDACTED, redactText, redactUrl } from "../sensitive.ts";
import { didYouMean } from "../suggest.ts";
import { checkedPath, hostField, hostPattern, methodField, pathField, portField, schemeField } from "./address.ts";
import { asAsymmetric } from "./asymmetric.ts";
import { bodyField, jsonField } from "./body.ts";
import { checkBody, checkRecord } from "./check_part.ts";
import { describeValue, isRegExp, isUrlPattern } from "./describe.ts";
import { type Field, field, fromFields } from "./field.ts";
import { recordFields } from "./record.ts";
import { responseFields } from "./response.ts";
import { regExpField, urlPatternField } from "./url.ts";
import { statusField } from "./status.ts";
import { urlFields } from "./url_pattern.ts";
import { found } from "./value.ts";
import type { CompiledMatcher, RequestShape, ResponseShape } from "./types.ts";

/** Compiles a shape. One without any part matches every request. */
export function compileShape(shape: RequestShape, where: string): CompiledMatcher {
  for (const key of Object.keys(shape)) {
    if (Object.hasOwn(PARTS, key)) continue;
    throw new OptionsError(
      `${where}: ${JSON.stringify(key)} is not a part of a request${didYouMean(key, Object.keys(PARTS))} (${
        Object.keys(PARTS).join(", ")
      } are accepted)`,
    );
  }
  const fields: Field[] = [];
  for (const key of Object.keys(PARTS) as (keyof RequestShape)[]) {
    const value = shape[key];
    if (value !== undefined) fields.push(...PARTS[key](value, where));
  }
  return fromFields(describeShape(shape), fields);
}

type Part = (value: unknown, where: string) => Field[];

/** What makes the fields of a part: in this order they are asked, the cheap ones first and the body last. */
const PARTS: Record<keyof RequestShape, Part> = {
  method: (value, where) => {
    const methods = Array.isArray(value) ? value : [value];
    const isToken = (method: unknown) => typeof method === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(method);
    if (methods.length > 0 && methods.every(isToken)) return [methodField(methods)];
    throw wrong("method", value, where, 'a method such as "GET" or an array of methods');
  },
  scheme: (value, where) => {
    const schemes = ["http", "https", "ws", "wss"];
    if (schemes.includes(value as string)) return [schemeField(value as string)];
    throw wrong("scheme", value, where, "http, https, ws or wss");
  },
  host: (value, where) => {
    if (isRegExp(value)) {
      return [field("host", String(value), ({ hostname }) => found(value, hostname), ({ hostname }) => hostname)];
    }
    if (typeof value === "string" && value !== "") return hostFields(value, `${where}: host`);
    throw wrong("host", value, where, 'a name, "*.name", "name:port" or a RegExp');
  },
  port: (value, where) => {
    if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65535) return [portField(Number(value))];
    throw wrong("port", value, where, "a number up to 65535");
  },
  path: (value, where) => {
    if (isRegExp(value)) return [field("path", String(value), ({ path }) => found(value, path), ({ path }) => path)];
    if (typeof value === "string" && /^[/*][^?#]*$/.test(value)) return [pathField(checkedPath(value, where))];
    throw wrong("path", value, where, "a path that starts with / (the query goes into query) or a RegExp");
  },
  url: (value, where) => {
    if (isRegExp(value)) return [regExpField(value)];
    if (typeof value === "string") return urlFields(value, `${where}: url`);
    if (value instanceof URL) return urlFields(value.href.replace(/#.*/s, "").replace(/[*]/g, "\\*"), `${where}: url`);
    if (typeof value === "object" && value !== null && isUrlPattern(value)) return [urlPatternField(value)];
    throw wrong("url", value, where, "a URL, a path, a pattern of those, a RegExp or a URLPattern");
  },
  status: (value, where) => [statusField(value as number | string, where)],
  query: (value, where) => recordFields("query", checkRecord(value, "query", where), where),
  headers: (value, where) => recordFields("headers", checkRecord(value, "headers", where), where),
  cookies: (value, where) => recordFields("cookies", checkRecord(value, "cookies", where), where),
  form: (value, where) => recordFields("form", checkRecord(value, "form", where), where),
  body: (value, where) => [bodyField(checkBody(value, where))],
  json: (value) => [jsonField(value)],
  response: (value, where) => responseFields(value as ResponseShape, where),
};

function hostFields(host: string, where: string): Field[] {
  const [, name, port] = /^(\[[^\]]*\]|[^:]+):(\d{1,5})$/.exec(host) ?? [];
  if (name === undefined) return [hostField(hostPattern(host, where))];
  if (Number(port) > 65535) throw wrong("host", host, where, "a port up to 65535");
  return [hostField(hostPattern(name, where)), portField(Number(port))];
}

function wrong(part: string, value: unknown, where: string, accepted: string): OptionsError {
  return new OptionsError(`${where}: ${part} ${describeValue(value)} is not valid: ${accepted} is accepted`);
}

/** Whoever wrote a long text knows it by its beginning. */
const LONGEST_STRING = 80;

/** `{ method: "POST", json: { qty: 2 } }` on one line, without credentials. */
function describeShape(shape: RequestShape): string {
  const shown: Record<string, unknown> = withoutSecrets(shape);
  if (typeof shape.url === "string") shown["url"] = redactUrl(shape.url);
  if (shape.response !== undefined) shown["response"] = withoutSecrets(shape.response);
  const text = describeValue(shown, "", LONGEST_STRING);
  return text === "{}" ? "any request" : text.length <= 300 ? text : `${text.slice(0, 299)}…`;
}

/** The parts of a shape, as far as they may be shown. */
export function withoutSecrets({ ...shown }: Pick<RequestShape, "body" | "cookies">): Record<string, unknown> {
  const { body, cookies } = shown;
  if (typeof body === "string") shown.body = redactText(body);
  if (typeof cookies === "object" && cookies !== null && asAsymmetric(cookies) === undefined) {
    shown.cookies = Object.fromEntries(Object.keys(cookies).map((name) => [name, REDACTED]));
  }
  return shown;
}
