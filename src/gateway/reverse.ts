/**
 * A handler that hands requests on to a server.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { list, secret as secretText, shape, text } from "../options/schema.ts";
import { setForwarding, type Traversal, withoutForwarding, withoutNamed } from "./forwarding/fields.ts";
import type { Handler, HandlerInfo } from "./handler.ts";
import { addressOf, compileTrusted, type Trusted } from "./forwarding/peer_address.ts";
import { checkPrefix } from "./prefix.ts";
import { refusal } from "./refusal.ts";
import { type Places, rewriteBack, under } from "../flow/rewrite_back.ts";
import { send, SEND_CHECKS, type SendOptions } from "./send.ts";
import { sign } from "./forwarding/signature.ts";

/** What {@linkcode reverse} takes. */
export interface ReverseOptions extends SendOptions {
  /** Shared with {@linkcode forwarded} on the other side: what is said there of the client is signed with it. None by default. */
  secret?: string;
  /** The methods that are handed on; others are answered with 405. GET, HEAD, POST, PUT, DELETE, OPTIONS and PATCH by default. */
  methods?: readonly string[];
  /** The path that the handler is mounted at: it is taken off requests, and put back in what the server says. None by default. */
  prefix?: string;
  /**
   * Proxies before this one, as addresses and networks (`"10.0.0.0/8"`): what they say of those before them is kept. What others say is
   * dropped. None by default.
   */
  trustIps?: readonly string[];
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];

const check = shape({
  ...SEND_CHECKS,
  secret: secretText,
  methods: list(text),
  prefix: checkPrefix,
  trustIps: list(text),
});

/**
 * A handler that sends every request to a server, as if the server were here: the path is put behind that of `href`, its query before that of
 * `href`, and Host is the server's. What the client has asked for is told in X-Forwarded-For, -Host, -Server, -Proto, -Scheme and -Script-Name,
 * in Forwarded (RFC 7239), and, where `href` has a path or a query, in X-Traversal-Path and X-Traversal-Query-String; what clients say in such
 * fields themselves is dropped. Location and Content-Location, and path and domain of cookies, come back as the client can use them.
 * WebSockets are handed on too.
 *
 * A server that cannot be reached is a 502, one that does not answer in time a 504.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { mount, reverse } from "flowtape/gateway";
 *
 * await using server = await startProxy({ app: mount((request) => new Response(new URL(request.url).pathname)) });
 * await using gateway = await startProxy({ app: mount(reverse(`${server.url}/shop`)) });
 * const response = await fetch(`${gateway.url}/cart`);
 * console.log(await response.text()); // /shop/cart
 * ```
 *
 * @throws {OptionsError} `href` or an option is not accepted
 */
export function reverse(href: string | URL, options: ReverseOptions = {}): Handler {
  const target = targetOf(href);
  check(options, "");
  const { methods = METHODS, prefix = "", trustIps = [] } = options;
  const allowed = new Set(methods);
  const allow = [...allowed].join(", ");
  const trusted = compileTrusted(trustIps, "trustIps");
  const at = prefix.replace(/\/$/, "");
  return async (request, info) => {
    if (!allowed.has(request.method)) {
      return refusal(405, "METHOD_NOT_ALLOWED", `${request.method} is not handed on here: ${allow} are`, { allow });
    }
    const url = new URL(request.url);
    const rest = at === "" ? url.pathname : under(url.pathname, at);
    if (rest === undefined) {
      return refusal(
        400,
        "GATEWAY_PREFIX",
        `the path ${url.pathname} does not begin with ${at} (option prefix of reverse())`,
      );
    }
    const to = new URL(target.origin);
    to.pathname = `${target.path}${rest}` || "/";
    to.search = [url.search.slice(1), target.query].filter(Boolean).join("&");
    const { headers, outer } = forwardingOf(request, info, { at, trusted, traversal: target });
    headers.set("host", to.host);
    if (options.secret !== undefined) sign(headers, request.method, `${to.pathname}${to.search}`, options.secret);
    const response = await send(request, { url: to, headers }, options, info);
    const places: Places = { inner: target, outer };
    if (response.status !== 101) rewriteBack(response.headers, response.headers.getSetCookie(), places, to.href);
    return response;
  };
}

interface Forwarding {
  readonly headers: Headers;
  readonly outer: Places["outer"];
}

interface How {
  /** Where the handler is mounted. */
  readonly at: string;
  /** Proxies before this one. */
  readonly trusted: Trusted;
  /** What is added to the request. */
  readonly traversal?: Traversal;
}

/** The fields of a request with what is to be told of its client, and where the client thinks that the handler is. */
export function forwardingOf(
  request: Request,
  info: Partial<HandlerInfo>,
  { at, trusted, traversal }: How,
): Forwarding {
  const url = new URL(request.url);
  const headers = new Headers(request.headers);
  const address = addressOf(request, info);
  const before = trusted(address)
    ? { before: { for: headers.get("x-forwarded-for"), forwarded: headers.get("forwarded") } }
    : {};
  withoutNamed(headers);
  withoutForwarding(headers);
  const host = headers.get("host") ?? url.host;
  const scheme = url.protocol.slice(0, -1);
  const prefix = `${info.prefix ?? ""}${at}`;
  setForwarding(headers, { address, host, scheme, prefix, username: info.username, ...before }, traversal);
  return { headers, outer: { origin: `${scheme}://${host}`, path: prefix } };
}

function targetOf(href: string | URL): { origin: string; path: string; query: string } {
  const url = typeof href === "string" || href instanceof URL ? URL.parse(href) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new OptionsError(
      `reverse() takes the URL of a server, such as "https://api.test/v1", not ${describeValue(href)}`,
    );
  }
  if (url.username !== "" || url.password !== "" || url.hash !== "") {
    throw new OptionsError(`reverse() takes a URL without credentials and fragment, not that with host ${url.host}`);
  }
  return { origin: url.origin, path: url.pathname.replace(/\/$/, ""), query: url.search.slice(1) };
}
