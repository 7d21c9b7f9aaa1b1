/**
 * What order and merging need to know of an exchange, so that nothing else of it has to be in memory.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { HarEntry, HarPair } from "../har.ts";
import { isObject } from "../har_read.ts";

/** An exchange that lies in a journal or on a tape. */
export interface Kept {
  /** What was asked for, for order: URL and method. */
  readonly label: string;
  /** Equal for the same request. */
  readonly key: string;
  /** When it began and ended: milliseconds since 1970. 0 for what is on a tape. */
  readonly start: number;
  readonly end: number;
  /** Equal for the same exchange, but for what differs every time. Not known before it is asked for. */
  same?: string;
  /** It takes the place of what its matcher matches on the tape. */
  readonly anew?: boolean;
  /** The entry, or its text as it stands on the tape already. */
  load(): Promise<HarEntry | string>;
}

/** The label of an entry. */
export function labelOf({ method, url }: { method: string; url: string }): string {
  return `${url} ${method}`;
}

/** The key of an entry. */
export function keyOf({ request }: HarEntry): string {
  return keyWith(request, request.postData?._file ?? request.postData?.text ?? "");
}

/** The key of a request with this body, as it stands on the tape. */
export function keyWith(request: { method: string; url: string }, body: string): string {
  const asked = withoutBoundary(body, body);
  return `${labelOf(request)}\n${asked.length <= 64 ? asked : hash(asked)}`;
}

/** A text in which the boundary of a multipart body, drawn anew for every request, is always the same. */
function withoutBoundary(text: string, body: string): string {
  if (!body.startsWith("--")) return text;
  const line = body.slice(0, Math.max(0, body.indexOf("\r\n")));
  // One that is short may stand in other places too, and is not drawn by lot.
  const isBoundary = line.length >= 18 && line.length <= 72 && body.trimEnd().endsWith(`\r\n${line}--`);
  return isBoundary ? text.replaceAll(line.slice(2), "boundary") : text;
}

/** Makes sure that `same` is known. */
export async function learnSame(items: readonly Kept[]): Promise<void> {
  for (const item of items) {
    if (item.same !== undefined) continue;
    const entry = await item.load();
    item.same = sameOf(typeof entry === "string" ? JSON.parse(entry) as HarEntry : entry);
  }
}

/** Equal for entries that say the same, whatever the moment. */
export function sameOf({ startedDateTime: _, time: _t, timings: _i, ...entry }: HarEntry): string {
  const lasting = (pairs: unknown) =>
    Array.isArray(pairs) ? (pairs as HarPair[]).filter(({ name }) => !isVolatile(name)) : pairs;
  const message = (given: unknown) => isObject(given) ? { ...given, headers: lasting(given.headers) } : given;
  const text = JSON.stringify({ ...entry, request: message(entry.request), response: message(entry.response) });
  return hash(withoutBoundary(text, entry.request?.postData?.text ?? ""));
}

/** A short name of a text. */
export function hash(text: string): string {
  return createHash("sha1").update(text).digest("base64");
}

/** Whether a field is different every time, and says nothing of the exchange. */
export function isVolatile(name: unknown): boolean {
  return typeof name === "string" && VOLATILE.test(name);
}

/** Fields that are different every time: moments, and names of single requests. */
const VOLATILE = new RegExp(
  "^(?:date|age|expires|traceparent|tracestate|server-timing|x-runtime|x-response-time|x-timer|cf-ray|x-amz-cf-id|x-amz-id-2|" +
    "x-b3-(?:traceid|spanid|parentspanid|sampled)|x-cloud-trace-context|x-amzn-trace-id|x-envoy-upstream-service-time|" +
    "(?:[a-z-]*-)?(?:request|correlation|trace|transaction)-?id|x-ratelimit-(?:remaining|reset|used))$",
  "i",
);
