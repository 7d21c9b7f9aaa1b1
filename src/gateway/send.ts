/**
 * From a platform `Request` to a server and back.
 *
 * @module
 */
import { type OnceOptions, type OnceResponse, sendOnce } from "../wire/once/send_once.ts";
import { flag, list, shape, text, whole } from "../options/schema.ts";
import type { Check } from "../options/schema.ts";
import type { HandlerInfo } from "./handler.ts";
import { refusalOf } from "./refusal.ts";

/** How servers are reached. */
export interface SendOptions {
  /**
   * The address to connect to, `host:port`, whatever URL and Host say. By default host and port of the URL. The certificate of the server
   * is still to be one for the host of the URL.
   */
  connect?: string;
  /** Certificate authorities (PEM) to trust besides the well-known ones. */
  ca?: string | readonly string[];
  /** Whether the certificate of the server must be trusted. `true` by default. */
  verify?: boolean;
  /** Milliseconds until the server has accepted the connection, until it answers, and between two pieces of its answer. 60,000 by default. */
  timeout?: number;
}

/** What is sent in the place of a request: the rest is as it came. */
export interface Outgoing {
  /** Where to. */
  readonly url: URL;
  /** All fields. */
  readonly headers: Headers;
}

const oneOrMore: Check = (value, where) => Array.isArray(value) ? list(text)(value, where) : text(value, where);

/** The checks of {@linkcode SendOptions}. */
export const SEND_CHECKS: Readonly<Record<keyof SendOptions, Check>> = {
  connect: text,
  ca: oneOrMore,
  verify: flag,
  timeout: whole(1, 2 ** 31 - 1),
};

/** @throws {OptionsError} something is not accepted */
export const checkSendOptions: Check = shape(SEND_CHECKS);

/** How servers are reached when nothing else is said, in milliseconds. */
const TIMEOUT_MS = 60_000;

/**
 * Sends a request, and gives the answer as it comes: nothing is decoded, no redirect followed. A server that cannot be reached is a 502, one
 * that is too slow a 504.
 *
 * @param info of the request, when a WebSocket can be handed over
 * @throws the reason of the request's signal
 */
export async function send(
  request: Request,
  { url, headers }: Outgoing,
  { connect, ca = [], verify = true, timeout = TIMEOUT_MS }: SendOptions,
  info?: Partial<HandlerInfo>,
): Promise<Response> {
  const switchTo = isWebSocket(request) ? info?.switchTo : undefined;
  const options: OnceOptions = {
    ca: [ca].flat(),
    verify,
    timeouts: { connect: timeout, head: timeout, idle: timeout },
    signal: request.signal,
    ...(connect !== undefined && { connect }),
  };
  const once = { method: request.method, url, headers, body: request.body, webSocket: switchTo !== undefined };
  try {
    const answer = await sendOnce(once, options);
    if (answer.connection === undefined) return responseOf(answer);
    return switchTo!({ headers: answer.headers, ...answer.connection });
  } catch (error) {
    const refused = request.signal?.aborted ? undefined : refusalOf(error);
    if (refused === undefined) throw error;
    info?.log?.("warn", error instanceof Error ? error.message : String(error));
    return refused;
  }
}

function isWebSocket(request: Request): boolean {
  return request.method === "GET" && request.headers.get("upgrade")?.toLowerCase() === "websocket";
}

function responseOf({ status, reason, headers, body }: OnceResponse): Response {
  const fields = new Headers();
  for (const [name, value] of headers) fields.append(name, value);
  return makeResponse(body, { status, statusText: reason, headers: fields });
}

/** A Response with any status. */
export function makeResponse(
  body: ReadableStream | null,
  init: Pick<Response, "status" | "statusText" | "headers">,
): Response {
  const { status, statusText, headers } = init;
  const known = status >= 200 && status <= 599;
  const platform = { status: known ? status : 200, statusText, headers };
  const response = new Response(NULL_BODY.has(status) ? null : body, platform);
  // HTTP has statuses from 100 to 999; the platform makes no Response with most of them (Fetch standard, section 5.5).
  if (!known) Object.defineProperty(response, "status", { value: status });
  return response;
}

/** A Response with one of these must not have a body (Fetch standard, "null body status"). */
const NULL_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
