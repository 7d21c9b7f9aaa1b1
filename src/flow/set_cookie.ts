/**
 * Cookies as responses set them, and which requests they are for (RFC 6265).
 *
 * @module
 */
import type { FlowRequest } from "./request.ts";

/** A cookie of a `Set-Cookie` field. */
export interface SetCookie {
  readonly name: string;
  readonly value: string;
  /** Of each attribute the last one counts; names are in lower case. */
  readonly attributes: ReadonlyMap<string, string>;
}

/**
 * Reads a `Set-Cookie` line (RFC 6265 section 5.2); `undefined` when it sets none. The parser of @std/http lets go of a cookie whose Max-Age
 * is negative, which is how some are deleted.
 */
export function parseSetCookie(line: string): SetCookie | undefined {
  const [pair = "", ...rest] = line.split(";");
  const [[name, value] = ["", ""]] = cookiePairs(pair);
  if (name === "") return undefined;
  const attributes = rest.map((attribute): [string, string] => {
    const [key = "", ...words] = attribute.split("=");
    return [key.trim().toLowerCase(), words.join("=").trim()];
  });
  return { name, value, attributes: new Map(attributes) };
}

/** The names and values of a `Cookie` line, as they stand. */
export function cookiePairs(line: string): [string, string][] {
  return line.split(";").flatMap((pair): [string, string][] => {
    const mark = pair.indexOf("=");
    return mark <= 0 ? [] : [[pair.slice(0, mark).trim(), pair.slice(mark + 1).trim()]];
  });
}

/** The host and the path that a cookie is for (RFC 6265 sections 5.1.3 and 5.1.4). */
export interface CookieScope {
  /** Host name, in lower case. */
  readonly host: string;
  /** Hosts below this one get it, too. */
  readonly below: boolean;
  readonly path: string;
  /** Nothing but https gets it. */
  readonly secure: boolean;
}

/** Which requests a cookie is for; `undefined` when the server that has set it may not set it. */
export function scopeOf(
  { attributes }: SetCookie,
  setBy: Pick<FlowRequest, "hostname" | "path">,
): CookieScope | undefined {
  const domain = attributes.get("domain")?.toLowerCase().replace(/^\./, "") ?? "";
  if (domain !== "" && !isWithin(setBy.hostname, domain)) return undefined;
  // As in a browser: nobody sets cookies for everything below a top-level domain (RFC 6265 section 5.3, step 5).
  if (!domain.includes(".") && domain !== "" && domain !== setBy.hostname) return undefined;
  const given = attributes.get("path") ?? "";
  return {
    host: domain || setBy.hostname,
    below: domain !== "",
    // Without a path of its own it is for the folder of the request.
    path: given.startsWith("/") ? given : setBy.path.replace(/\/[^/]*$/, "") || "/",
    secure: attributes.has("secure"),
  };
}

/** Whether a request is in the scope of a cookie (RFC 6265 section 5.4). */
export function isInScope(
  { host, below, path, secure }: CookieScope,
  to: Pick<FlowRequest, "hostname" | "path" | "scheme">,
): boolean {
  const sent = below ? isWithin(to.hostname, host) : to.hostname === host;
  const inside = to.path === path || to.path.startsWith(path.endsWith("/") ? path : `${path}/`);
  return sent && inside && (!secure || to.scheme === "https" || to.scheme === "wss");
}

/** Whether a cookie that one request has brought goes with another. */
export function concerns(cookie: SetCookie, setBy: FlowRequest, next: FlowRequest): boolean {
  const scope = scopeOf(cookie, setBy);
  return scope !== undefined && isInScope(scope, next);
}

/** When a cookie that is set now ends, in milliseconds since 1970; `Infinity`: with the session. */
export function expiryOf({ attributes }: SetCookie, now: number = Date.now()): number {
  const age = attributes.get("max-age") ?? "";
  if (/^-?\d+$/.test(age)) return Number(age) <= 0 ? 0 : now + Number(age) * 1000;
  const expires = Date.parse(attributes.get("expires") ?? "");
  return Number.isNaN(expires) ? Infinity : expires;
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
