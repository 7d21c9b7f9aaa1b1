/**
 * The other side of a proxy: requests as the client has sent them.
 *
 * @module
 */
import { parseAuthority } from "../flow/authority.ts";
import { OptionsError } from "../flow/error.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { checkForwarded, type ForwardedOptions } from "./forwarded_options.ts";
import { SIGNATURE, withoutForwarding } from "./forwarding/fields.ts";
import type { Handler, HandlerInfo, RemoteAddress } from "./handler.ts";
import { membersOf } from "./info_of_server.ts";
import { addressOf, compileTrusted } from "./forwarding/peer_address.ts";
import { under } from "../flow/rewrite_back.ts";
import { readSaid, type Said, type Wrong } from "./forwarding/said.ts";
import { SignatureCheck } from "./forwarding/signature.ts";
import { refusal } from "./refusal.ts";

/** Five minutes. */
const WINDOW_MS = 300_000;
/** Of a server that says nothing of its clients. */
const NOWHERE: RemoteAddress = { transport: "tcp", hostname: "", port: 0 };

/**
 * Gives a handler behind {@linkcode reverse}, or behind any proxy that sets the usual fields, requests as the client has sent them: URL and Host
 * are the client's, `info.remoteAddr` is its address, `info.username` its name, `info.prefix` the path that it sees before that of the request.
 *
 * What a proxy says is believed when it is signed with the `secret`, or comes from an address of `trustIps`; else it is taken out, and the log
 * says so. A signature that is wrong, too old or used before is answered with 403.
 *
 * `prefix`, `popPrefix`, `scheme`, `host`, `domain` and `port` hold whatever a proxy says.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { forwarded, mount, reverse } from "flowtape/gateway";
 *
 * const secret = "a long random text that both sides know";
 * const handler = forwarded((request) => new Response(request.url), { secret });
 * await using server = await startProxy({ app: mount(handler) });
 * await using gateway = await startProxy({ app: mount(reverse(server.url, { secret })) });
 *
 * const response = await fetch(`${gateway.url}/cart`);
 * console.log(await response.text() === `${gateway.url}/cart`); // true
 * ```
 *
 * @throws {OptionsError} an option is not accepted, or does not go with another one
 */
export function forwarded(handler: Handler, options: ForwardedOptions): Handler {
  if (typeof handler !== "function") {
    throw new OptionsError(`forwarded() takes a handler (request, info) => Response, not ${describeValue(handler)}`);
  }
  checkForwarded(options);
  const { secret, trustIps = [], window = WINDOW_MS } = options;
  const trusted = compileTrusted(trustIps, "trustIps");
  const signatures = secret === undefined ? undefined : new SignatureCheck(secret, window);
  return async (request, info) => {
    const headers = new Headers(request.headers);
    const url = new URL(request.url);
    const address = addressOf(request, info);
    const signed = signatures !== undefined && headers.has(SIGNATURE);
    if (signed) {
      const wrong = signatures.wrong(headers, request.method, `${url.pathname}${url.search}`);
      if (wrong !== undefined) return refuseSignature(wrong, address, info);
    }
    const said = signed || trusted(address) ? readSaid(headers, trusted) : undefined;
    if (said !== undefined && "wrong" in said) return refusal(400, "FORWARDED_FIELD", said.wrong);
    const names = withoutForwarding(headers);
    if (said === undefined && names.length > 0) {
      warn(info, `${address ?? "a client"} says ${names.join(", ")}, and is not trusted (secret, trustIps): ignored`);
    }
    const seen = seenBy(url, headers, said ?? {}, options);
    if ("wrong" in seen) return refusal(400, "FORWARDED_PATH", seen.wrong);
    headers.set("host", seen.url.host);
    const client = said?.address ?? address;
    return await handler(withUrl(request, seen.url, headers), {
      ...membersOf(info),
      ...(client !== undefined && { remoteAddr: { ...(info.remoteAddr ?? NOWHERE), hostname: client } }),
      ...(said?.username !== undefined && { username: said.username }),
      prefix: seen.prefix,
    });
  };
}

/** URL and prefix of a request as its client has sent it. */
function seenBy(
  url: URL,
  headers: Headers,
  said: Said,
  options: ForwardedOptions,
): { url: URL; prefix: string } | Wrong {
  const place = placeOf(url, said, options);
  if ("wrong" in place) return place;
  const scheme = options.scheme ?? said.scheme ?? url.protocol.slice(0, -1);
  const from = parseAuthority(options.host ?? said.host ?? headers.get("host") ?? url.host, 0) ??
    { hostname: url.hostname, port: Number(url.port) };
  const port = options.port ?? from.port;
  const authority = `${options.domain ?? from.hostname}${port === 0 ? "" : `:${port}`}`;
  const search = said.query === undefined ? url.search : withoutEnd(url.search, said.query);
  const href = `${scheme}://${authority}${place.path || "/"}${search}`;
  const seen = URL.parse(href);
  return seen === null ? { wrong: `the request is for ${href}, which is no URL` } : { url: seen, prefix: place.prefix };
}

/** Where the path of a request is parted into what belongs to proxies and what is for the handler. */
function placeOf({ pathname }: URL, said: Said, options: ForwardedOptions): { path: string; prefix: string } | Wrong {
  const path = said.path === undefined ? pathname : under(pathname, said.path);
  if (path === undefined) {
    return { wrong: `X-Traversal-Path is ${said.path}, but the path is ${pathname}: it should begin with that` };
  }
  const prefix = options.prefix?.replace(/\/$/, "") ?? said.prefix ?? "";
  if (options.popPrefix === undefined) return { path, prefix };
  const pop = options.popPrefix.replace(/\/$/, "");
  const rest = under(path, pop);
  if (rest !== undefined) return { path: rest, prefix: prefix + pop };
  return { wrong: `all requests should start with the path ${pop}, but this one is for ${path} (option popPrefix)` };
}

/** A query without what the proxy has put at its end. */
function withoutEnd(search: string, end: string): string {
  if (search === `?${end}`) return "";
  return search.endsWith(`&${end}`) ? search.slice(0, -end.length - 1) : search;
}

function withUrl(request: Request, url: URL, headers: Headers): Request {
  const { method, body, signal } = request;
  const init = { method, headers, body, signal, redirect: "manual", ...(body !== null && { duplex: "half" }) };
  return new Request(url, init as RequestInit);
}

function refuseSignature(wrong: string, address: string | undefined, info: Partial<HandlerInfo>): Response {
  const message = `the signature of the request is not accepted: ${wrong}`;
  warn(info, `${address ?? "a client"}: ${message}`);
  return refusal(403, "SIGNATURE", message);
}

function warn(info: Partial<HandlerInfo>, message: string): void {
  if (info.log !== undefined) info.log("warn", message);
  else console.warn(`flowtape: ${message}`);
}
