/**
 * Fields for where a request goes: method, scheme, host, port, path.
 *
 * @module
 */
import { defaultPort } from "../authority.ts";
import { OptionsError } from "../error.ts";
import { type Field, field } from "./field.ts";
import { globPattern, pathPattern, type TextPattern } from "./text_pattern.ts";

/** Methods: upper case is wanted on the wire, where methods are case-sensitive (RFC 9110 section 9.1). */
export function methodField(methods: readonly string[]): Field {
  const wanted = methods.map((method) => method.toUpperCase());
  const only = wanted.length === 1 ? wanted[0] : undefined;
  return field(
    "method",
    wanted.join(" or "),
    only === undefined ? (request) => wanted.includes(request.method) : (request) => request.method === only,
    (request) => request.method,
    only === undefined ? undefined : { method: only },
  );
}

/** The scheme. */
export function schemeField(scheme: string): Field {
  return field("scheme", scheme, (request) => request.scheme === scheme, (request) => request.scheme, { scheme });
}

/** The host name, without its port. */
export function hostField(pattern: TextPattern): Field {
  const { exact } = pattern;
  return field(
    "host",
    pattern.source,
    (request) => pattern.test(request.hostname),
    (request) => request.hostname,
    exact === undefined ? undefined : { hostname: exact },
  );
}

/** The port. */
export function portField(port: number): Field {
  return field("port", String(port), (request) => request.port === port, (request) => String(request.port), { port });
}

/** The default port of whatever scheme the request has. */
export function defaultPortField(): Field {
  return field(
    "port",
    "the default of the scheme",
    (request) => request.port === defaultPort(request.scheme),
    (request) => String(request.port),
  );
}

/** The path. */
export function pathField(pattern: TextPattern): Field {
  const { exact } = pattern;
  return field(
    "path",
    pattern.source,
    (request) => pattern.test(request.path),
    (request) => request.path,
    exact === undefined ? undefined : { path: exact },
  );
}

/** A host pattern from text: `shop.test`, `*.shop.test`, `[::1]`; also a name with letters that DNS spells otherwise. */
export function hostPattern(host: string, where: string): TextPattern {
  if (host.includes("*")) {
    if (/[^\w.*-]/.test(host)) {
      throw new OptionsError(
        `${where}: host ${JSON.stringify(host)} is not a name; \`*\` may stand for any part of one`,
      );
    }
    return globPattern(host.toLowerCase());
  }
  const balanced = /^\[[^[\]]*\]$|^[^[\]]+$/.test(host);
  const url = balanced && !/[\s/?#@\\]/.test(host) ? URL.parse(`http://${host}/`) : null;
  if (url === null || url.port !== "") {
    const hint = /[[\]]/.test(host) || host.split(":").length > 2 ? "; IPv6 addresses are written [::1]" : "";
    throw new OptionsError(`${where}: ${JSON.stringify(host)} is not a host name${hint}`);
  }
  return { ...globPattern(url.hostname), source: url.hostname };
}

/** A path pattern from text, checked. */
export function checkedPath(path: string, where: string): TextPattern {
  const brace = /[{}]/.exec(path);
  if (brace) {
    throw new OptionsError(
      `${where}: path ${JSON.stringify(path)} holds "${brace[0]}": write :name for a segment, * for anything`,
    );
  }
  // As clients send it: the URL standard escapes these, and lets the others stand.
  return pathPattern(path.replace(/[^\x21-\x7e]+|["<>`^|]/g, (text) => encodePart(text)));
}

function encodePart(text: string): string {
  return text === "|" || text === "^" ? text : encodeURIComponent(text.toWellFormed());
}
