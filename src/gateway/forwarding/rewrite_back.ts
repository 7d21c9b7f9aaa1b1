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

/** Rewrites Location, Content-Location and the cookies of a response. */
export function rewriteBack(headers: Headers, places: Places, base: URL): void {
  for (const name of ["location", "content-location"]) {
    const value = headers.get(name);
    if (value !== null) headers.set(name, rewriteLocation(value, places, base));
  }
  const cookies = headers.getSetCookie();
  if (cookies.length === 0) return;
  headers.delete("set-cookie");
  for (const cookie of cookies) headers.append("set-cookie", rewriteCookie(cookie, places));
}

/**
 * The place that a server means, as the client can reach it. What lies on another server is left alone; what lies on this one, but not under
 * the path that is served, gets its whole URL.
 *
 * @param base what was asked of the server
 */
export function rewriteLocation(location: string, { inner, outer }: Places, base: URL): string {
  const url = URL.parse(location, base.href);
  if (url === null || url.origin !== inner.origin) return location;
  const rest = under(url.pathname, inner.path);
  if (rest === undefined) return url.href;
  return `${outer.origin}${outer.path}${rest === "" && outer.path === "" ? "/" : rest}${url.search}${url.hash}`;
}

/** A cookie for the path of the client, and for the client's host: a Domain that the server belongs to would be refused there. */
export function rewriteCookie(cookie: string, { inner, outer }: Places): string {
  const { hostname } = new URL(inner.origin);
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
