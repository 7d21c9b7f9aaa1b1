/**
 * Where a redirection leads (RFC 9110 section 15.4), by the rules of `fetch`.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { BodyBuffer } from "./body_buffer.ts";
import { copyRequest } from "./copy.ts";
import { FlowtapeError } from "./error.ts";
import { cookiesAfter, setCookies } from "./redirect_cookies.ts";
import type { FlowRequest } from "./request.ts";
import type { FlowResponse } from "./response.ts";
import { redactUrl } from "./sensitive.ts";

/**
 * The request that follows a redirection; `undefined` when the response is none, or does not say where to.
 *
 * @throws {FlowtapeError} `BAD_REDIRECT`: it leads to what is no http or https URL
 */
export function redirected(request: FlowRequest, response: FlowResponse): FlowRequest | undefined {
  const location = REDIRECTS.has(response.status) ? response.headers.getAll("location")[0] : undefined;
  if (location === undefined) return undefined;
  const url = target(location, request);
  const next = copyRequest(request);
  if (becomesGet(response.status, request.method)) withoutBody(next);
  next.url = url;
  const crossOrigin = next.scheme !== request.scheme || next.hostname !== request.hostname ||
    next.port !== request.port;
  if (crossOrigin) {
    // What was meant for one server is no business of another (RFC 9110 section 15.4, Fetch section 4.4).
    next.headers.delete("authorization");
    if (next.scheme !== request.scheme) next.host = url.host;
  }
  setCookies(next, cookiesAfter({ request, response }, next));
  return next;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function target(location: string, request: FlowRequest): URL {
  const bytes = Buffer.from(location, "latin1");
  const url = URL.parse(isUtf8(bytes) ? bytes.toString() : location, request.url);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new FlowtapeError(
    "BAD_REDIRECT",
    `the redirection of ${redactUrl(request.url)} leads to ${JSON.stringify(redactUrl(location).slice(0, 200))}, ` +
      "which is no http or https URL: it cannot be followed",
  );
}

function becomesGet(status: number, method: string): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}

function withoutBody(request: FlowRequest): void {
  request.method = "GET";
  request.content = BodyBuffer.of(new Uint8Array(0));
  request.trailers = undefined;
  for (const name of ABOUT_THE_BODY) request.headers.delete(name);
}

/** Fetch calls them request-body-header names; the last four frame the body on the wire. */
const ABOUT_THE_BODY = [
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
  "content-length",
  "transfer-encoding",
  "trailer",
  "expect",
];
