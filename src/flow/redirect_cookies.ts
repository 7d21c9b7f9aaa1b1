/**
 * The cookies of the next hop: there is no cookie jar here, only what two messages say (RFC 6265).
 *
 * @module
 */
import type { FlowRequest } from "./request.ts";
import type { FlowResponse } from "./response.ts";

/**
 * The `Cookie` of the request that follows a redirection: what the first request sent, when the host is the same, and what the response
 * has set, as far as its attributes let it go there. `undefined`: none.
 */
export function cookiesAfter(request: FlowRequest, response: FlowResponse, next: FlowRequest): string | undefined {
  const kept = next.hostname === request.hostname ? request.headers.getAll("cookie").flatMap(pairsOf) : [];
  const cookies = new Map(kept);
  for (const line of response.headers.getAll("set-cookie")) {
    const cookie = parse(line);
    if (cookie === undefined || !concerns(cookie, request, next)) continue;
    if (isExpired(cookie)) cookies.delete(cookie.name);
    else cookies.set(cookie.name, cookie.value);
  }
  return cookies.size === 0 ? undefined : [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  /** Of each attribute the last one counts; names are in lower case. */
  readonly attributes: ReadonlyMap<string, string>;
}

// RFC 6265 section 5.2. The parser of @std/http lets go of a cookie whose Max-Age is negative, which is how some are deleted.
function parse(line: string): Cookie | undefined {
  const [pair = "", ...rest] = line.split(";");
  const [[name, value] = ["", ""]] = pairsOf(pair);
  if (name === "") return undefined;
  const attributes = rest.map((attribute): [string, string] => {
    const [key = "", ...words] = attribute.split("=");
    return [key.trim().toLowerCase(), words.join("=").trim()];
  });
  return { name, value, attributes: new Map(attributes) };
}

function pairsOf(line: string): [string, string][] {
  return line.split(";").flatMap((pair): [string, string][] => {
    const mark = pair.indexOf("=");
    return mark <= 0 ? [] : [[pair.slice(0, mark).trim(), pair.slice(mark + 1).trim()]];
  });
}

/** RFC 6265 sections 5.1.3, 5.1.4 and 5.4 */
function concerns({ attributes }: Cookie, setBy: FlowRequest, next: FlowRequest): boolean {
  const domain = attributes.get("domain")?.toLowerCase().replace(/^\./, "") ?? "";
  const sent = domain === ""
    ? next.hostname === setBy.hostname
    : isWithin(setBy.hostname, domain) && isWithin(next.hostname, domain);
  const given = attributes.get("path") ?? "";
  // Without a path of its own it is for the folder of the request.
  const path = given.startsWith("/") ? given : setBy.path.replace(/\/[^/]*$/, "") || "/";
  const below = next.path === path || next.path.startsWith(path.endsWith("/") ? path : `${path}/`);
  return sent && below && (!attributes.has("secure") || next.scheme === "https");
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

function isExpired({ attributes }: Cookie): boolean {
  const age = attributes.get("max-age") ?? "";
  if (/^-?\d+$/.test(age)) return Number(age) <= 0;
  const expires = Date.parse(attributes.get("expires") ?? "");
  return !Number.isNaN(expires) && expires <= Date.now();
}
