/**
 * What a server behind a proxy says of places, in the words of the client.
 *
 * @module
 */

/** Two names of one place. */
export interface Places {
  /** Of the server: origin and path, without a slash at its end. */
  readonly inner: { readonly origin: string; readonly path: string };
  /** Of the client. */
  readonly outer: { readonly origin: string; readonly path: string };
}

/** Fields of a response: the platform's, or those of a flow. */
type Fields = Pick<Headers, "get" | "set" | "append" | "delete">;

/**
 * Rewrites Location, Content-Location and the cookies of a response.
 *
 * @param cookies the values of Set-Cookie
 * @param base what was asked of the server
 */
export function rewriteBack(headers: Fields, cookies: readonly string[], places: Places, base: string): void {
  for (const name of ["location", "content-location"]) {
    const value = headers.get(name);
    const rewritten = value && rewriteLocation(value, places, base);
    if (rewritten && rewritten !== value) headers.set(name, rewritten);
  }
  const rewritten = cookies.map((cookie) => rewriteCookie(cookie, places));
  if (rewritten.every((cookie, i) => cookie === cookies[i])) return;
  headers.delete("set-cookie");
  for (const cookie of rewritten) headers.append("set-cookie", cookie);
}

/**
 * The place that a server means, as the client can reach it. What lies on another server is left alone; what lies on this one, but not under
 * the path that is served, gets its whole URL.
 *
 * @param base what was asked of the server
 */
export function rewriteLocation(location: string, { inner, outer }: Places, base: string): string {
  // Bytes above 127 are the server's, whatever their encoding: the platform would take them for Latin-1.
  const ascii = location.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  const url = URL.parse(ascii, base);
  if (url === null || url.origin !== inner.origin) return location;
  const rest = under(url.pathname, inner.path);
  if (rest === undefined) return url.href;
  return `${outer.origin}${outer.path}${rest === "" && outer.path === "" ? "/" : rest}${url.search}${url.hash}`;
}

/** A cookie for the path of the client, and for the client's host: a Domain that the server belongs to would be refused there. */
export function rewriteCookie(cookie: string, { inner, outer }: Places): string {
  const { hostname } = new URL(inner.origin);
  // Which is for a whole host, or refused (RFC 6265bis section 4.1.3.2).
  if (/^\s*__Host-/i.test(cookie)) return cookie;
  const parts = cookie.split(";").flatMap((part, i) => {
    if (i === 0) return [part];
    const [, name = "", value = ""] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    switch (name.toLowerCase()) {
      case "path":
        return [` Path=${cookiePath(value, inner.path, outer.path)}`];
      case "domain":
        return within(hostname, value.replace(/^\./, "").toLowerCase()) ? [] : [part];
      default:
        return [part];
    }
  });
  return parts.join(";");
}

function cookiePath(value: string, inner: string, outer: string): string {
  // A cookie for more than is served here is one for all of it.
  const rest = under(value, inner) ?? (under(inner, value.replace(/\/$/, "")) === undefined ? undefined : "");
  return rest === undefined ? value : `${outer}${rest}` || "/";
}

function within(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

/** What follows a path; `undefined` when it does not begin with that path. */
export function under(path: string, start: string): string | undefined {
  if (path === start) return "";
  return path.startsWith(`${start}/`) ? path.slice(start.length) : undefined;
}
