/**
 * The rules for the parts of a request line (RFC 9112 3), and why a line is refused.
 *
 * @module
 */
import { explainLineEnd, quote } from "./field_line_error.ts";
import { ProtocolError } from "./protocol_error.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+\-.]*:\/\/[^/?]/;
/** `uri-host [ ":" port ]` (RFC 3986 3.2.2); white space, `@`, `/`, `?` and `#` are what smuggles a second host. */
const HOST = /^(?:\[[0-9A-Za-z:.%_~!$&'()*+,;=-]+\]|[0-9A-Za-z.%_~!$&'()*+,;=-]*)(?::[0-9]*)?$/;
const AUTHORITY = /^(?:\[[0-9A-Za-z:.%_~-]+\]|[0-9A-Za-z.%_~!$&'()*+,;=-]+):([0-9]{1,5})$/;

/** Throws when the target is of no form that the method allows (RFC 9112 3.2). Its characters have been checked. */
export function checkTargetForm(method: string, target: string): void {
  if (method === "CONNECT") {
    // RFC 9110 9.3.6: a CONNECT with an empty or invalid port must be refused.
    const port = Number(AUTHORITY.exec(target)?.[1] ?? 0);
    if (port > 0 && port < 65536) return;
    throw new ProtocolError(
      "HTTP_TARGET",
      `The target of CONNECT is ${quote(target)}; it must be host:port (RFC 9112 3.2.3)`,
    );
  }
  if (target.startsWith("/") || ABSOLUTE.test(target)) return;
  if (target === "*" && method === "OPTIONS") return;
  throw new ProtocolError(
    "HTTP_TARGET",
    `The target ${quote(target)} is neither a path nor an absolute URL (RFC 9112 3.2)`,
  );
}

/** Throws when the value is no value for Host (RFC 9112 3.2). */
export function checkHost(host: string): void {
  if (HOST.test(host)) return;
  throw new ProtocolError(
    "HTTP_HOST",
    `Host is ${quote(host)}; it must be a host with an optional port (RFC 9112 3.2)`,
  );
}

/** The error for a request line that the scan did not accept. The line ends with its LF. */
export function explainRequestLine(line: string): ProtocolError {
  const ending = explainLineEnd(line);
  if (ending?.code === "HTTP_BARE_LF") return ending;
  const text = line.slice(0, -2);
  const first = text.indexOf(" ");
  const method = first === -1 ? text : text.slice(0, first);
  if (!TOKEN.test(method)) {
    return new ProtocolError("HTTP_METHOD", `The method ${quote(method)} is not a token (RFC 9110 9.1)`);
  }
  const last = text.lastIndexOf(" ");
  if (first === last) {
    return new ProtocolError(
      "HTTP_START_LINE",
      `The request line ${quote(text)} is not a method, a target and a version (RFC 9112 3)`,
    );
  }
  const target = text.slice(first + 1, last);
  if (!/^[!"$-~\x80-\xff]+$/.test(target)) {
    return new ProtocolError(
      "HTTP_TARGET",
      `The target ${quote(target)} is empty or holds white space, a control or "#" (RFC 9112 3.2)`,
    );
  }
  return explainVersion(text.slice(last + 1));
}

/** The error for a version that is not HTTP/1.x. */
export function explainVersion(version: string): ProtocolError {
  const status = /^HTTP\/[02-9]\.[0-9]$/.test(version) ? 505 : 400;
  return new ProtocolError(
    "HTTP_VERSION",
    `The version is ${quote(version)}; HTTP/1.0 and HTTP/1.1 are spoken here (RFC 9112 2.3)`,
    status,
  );
}
