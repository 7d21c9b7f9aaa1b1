/**
 * The cookies of the next hop: there is no cookie jar here, only what two messages say (RFC 6265).
 *
 * @module
 */
import type { FlowRequest } from "./request.ts";
import type { FlowResponse } from "./response.ts";
import { concerns, cookiePairs, expiryOf, parseSetCookie } from "./set_cookie.ts";

/**
 * The `Cookie` of the request that follows a redirection: what the first request sent, when the host is the same, and what the response
 * has set, as far as its attributes let it go there. `undefined`: none.
 */
export function cookiesAfter(request: FlowRequest, response: FlowResponse, next: FlowRequest): string | undefined {
  const kept = next.hostname === request.hostname ? request.headers.getAll("cookie").flatMap(cookiePairs) : [];
  const cookies = new Map(kept);
  for (const line of response.headers.getAll("set-cookie")) {
    const cookie = parseSetCookie(line);
    if (cookie === undefined || !concerns(cookie, request, next)) continue;
    if (expiryOf(cookie) <= Date.now()) cookies.delete(cookie.name);
    else cookies.set(cookie.name, cookie.value);
  }
  return cookies.size === 0 ? undefined : [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
}
