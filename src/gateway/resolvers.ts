/**
 * Which path a proxied request has for the application.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { AppError } from "../wire/app/application.ts";

/**
 * Says what path (and query) a request is to have for the application.
 *
 * @param url what the client has asked for, with `http` or `https`
 * @param user the name with which the client has authenticated with the proxy
 */
export type Resolver = (url: URL, user?: string) => string;

/** What {@linkcode userPrefix} takes. */
export interface UserPrefixOptions {
  /** The names that are known: another one is answered with 400. Any by default. */
  users?: readonly string[] | RegExp;
  /** What clients are told that they are asked for. `"Please enter prefix path"` by default. */
  realm?: string;
}

const NEEDS_NAME = Symbol("asks for a name");

/**
 * Puts a prefix before the URL: what the option `prefix` of `mount()` does.
 *
 * @param prefix begins with a slash; one is added at its end
 * @throws {OptionsError} it is no path
 */
export function fixedPrefix(prefix: string): Resolver {
  if (typeof prefix !== "string" || !/^\/[^?#\s]*$/.test(prefix)) {
    throw new OptionsError(`a prefix is a path such as "/prefix/", not ${describeValue(prefix)}`);
  }
  const start = prefix.endsWith("/") ? prefix : `${prefix}/`;
  return (url) => start + url.href;
}

/**
 * Puts the name of the client before the URL: a client that uses the proxy as `http://tests:any@host:port` gets
 * `/tests/https://example.com/path`. Clients must give a name then.
 *
 * @example
 * ```ts
 * import { mount, userPrefix } from "flowtape/gateway";
 *
 * const gateway = mount((request) => new Response(request.url), { resolve: userPrefix({ users: ["live", "archive"] }) });
 * ```
 */
export function userPrefix({ users, realm = "Please enter prefix path" }: UserPrefixOptions = {}): Resolver {
  const known = (name: string) =>
    users === undefined || (users instanceof RegExp ? matches(users, name) : users.includes(name));
  const resolve: Resolver = (url, user) => {
    if (user === undefined || user === "") {
      throw new AppError("GATEWAY_PREFIX", "the client has not told the proxy its name, which is the prefix here", 400);
    }
    if (!known(user)) {
      throw new AppError(
        "GATEWAY_PREFIX",
        `no prefix is known as ${describeValue(user)}, the name that the client has told the proxy`,
        400,
      );
    }
    return `/${encodeURIComponent(user)}/${url.href}`;
  };
  return Object.assign(resolve, { [NEEDS_NAME]: realm });
}

/**
 * The URL behind a prefix: what a client has asked for, read from the URL of a prefixed request.
 *
 * @example
 * ```ts
 * import { unprefixed } from "flowtape/gateway";
 *
 * unprefixed("http://localhost/prefix/https://example.com/a?b=c", "/prefix/").href; // https://example.com/a?b=c
 * ```
 *
 * @throws {AppError} `GATEWAY_PREFIX`: the path does not begin with the prefix, or no http URL follows it; where a handler throws it, the
 * client gets a 400
 */
export function unprefixed(url: string | URL, prefix: string): URL {
  const { pathname, search } = new URL(url);
  const start = prefix.endsWith("/") ? prefix : `${prefix}/`;
  const rest = pathname.startsWith(start) ? URL.parse(pathname.slice(start.length) + search) : null;
  if (rest === null || !/^https?:$/.test(rest.protocol)) {
    throw new AppError(
      "GATEWAY_PREFIX",
      `the path ${describeValue(pathname)} is not ${
        describeValue(start)
      } followed by a URL such as https://example.com/`,
      400,
    );
  }
  return rest;
}

/** What clients are told when they must give a name; `undefined` when they need not. */
export function needsName(resolve: Resolver): string | undefined {
  return (resolve as { [NEEDS_NAME]?: string })[NEEDS_NAME];
}

/**
 * The URL for the application.
 *
 * @throws {AppError} the resolver has thrown it
 * @throws {Error} the resolver threw, or gave no path
 */
export function resolved(url: URL, resolve: Resolver, user: string | undefined): URL {
  const path: unknown = resolve(new URL(url), user);
  const target = typeof path === "string" && path.startsWith("/") ? URL.parse(url.origin + path) : null;
  if (target === null) {
    if (path instanceof Promise) path.catch(() => {});
    throw new OptionsError(
      `option resolve of mount() gave ${
        describeValue(path)
      } for ${url.href}: a path that begins with a slash is expected`,
    );
  }
  return target;
}

function matches(pattern: RegExp, name: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(name);
}
