/**
 * Cookies that servers have set, for the requests that they are for.
 *
 * @module
 */
import type { FlowRequest } from "../flow/request.ts";
import { type CookieScope, expiryOf, isInScope, parseSetCookie, scopeOf } from "../flow/set_cookie.ts";

/** How many cookies a jar holds; of more, the oldest go. */
const MAX_COOKIES = 3000;

interface Kept {
  readonly name: string;
  readonly value: string;
  readonly scope: CookieScope;
  readonly expiry: number;
}

/** A jar that follows RFC 6265 as far as a proxy can. */
export class CookieJar {
  readonly #cookies = new Map<string, Kept>();

  /** Takes a `Set-Cookie` line of the response to a request. One that has expired removes what it would replace. */
  set(line: string, request: FlowRequest): void {
    const cookie = parseSetCookie(line);
    const scope = cookie && scopeOf(cookie, request);
    if (cookie === undefined || scope === undefined) return;
    const key = JSON.stringify([scope.host, scope.path, cookie.name]);
    this.#cookies.delete(key);
    const expiry = expiryOf(cookie);
    if (expiry <= Date.now()) return;
    this.#cookies.set(key, { name: cookie.name, value: cookie.value, scope, expiry });
    if (this.#cookies.size > MAX_COOKIES) this.#cookies.delete(this.#cookies.keys().next().value!);
  }

  /** The cookies for a request, those with the longest path first (RFC 6265 section 5.4). */
  for(request: FlowRequest): [name: string, value: string][] {
    const now = Date.now();
    return [...this.#cookies.values()]
      .filter(({ scope, expiry }) => expiry > now && isInScope(scope, request))
      .sort((a, b) => b.scope.path.length - a.scope.path.length)
      .map(({ name, value }) => [name, value]);
  }
}
