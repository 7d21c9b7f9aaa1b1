/**
 * The cookies of the next hop: there is no cookie jar here, only what two messages say (RFC 6265).
 *
 * @module
 */
import type { FlowRequest } from "./request.ts";
import type { FlowResponse } from "./response.ts";
import { concerns, cookiePairs, expiryOf, parseSetCookie } from "./set_cookie.ts";

/**
 * The `Cookie` of a request that follows an exchange: what the exchange sent, when the host is the same, and what its response has set,
 * as far as its attributes let it go there. `undefined`: none.
 *
 * @param own what the next request has already
 */
export function cookiesAfter(
  { request, response }: { readonly request: FlowRequest; readonly response?: FlowResponse },
  next: FlowRequest,
  own: readonly [string, string][] = [],
): string | undefined {
  const cookies = new Map([...own, ...(next.hostname === request.hostname ? cookiesOf(request) : [])]);
  for (const line of response?.headers.getAll("set-cookie") ?? []) {
    const cookie = parseSetCookie(line);
    if (cookie === undefined || !concerns(cookie, request, next)) continue;
    if (expiryOf(cookie) <= Date.now()) cookies.delete(cookie.name);
    else cookies.set(cookie.name, cookie.value);
  }
  return cookies.size === 0 ? undefined : [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
}

/** The cookies that a request sends. */
export function cookiesOf(request: FlowRequest): [string, string][] {
  return request.headers.getAll("cookie").flatMap(cookiePairs);
}

/** Gives a request the cookies that it should have; a field that says so already stays as it is. */
export function setCookies(request: FlowRequest, cookies: string | undefined): void {
  if (cookies === undefined) request.headers.delete("cookie");
  else if (cookies !== request.headers.getAll("cookie").join("; ")) request.headers.set("Cookie", cookies);
}
