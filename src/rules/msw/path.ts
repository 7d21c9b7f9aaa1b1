/**
 * What can be said of a request from the path of an MSW handler, without running the handler. It never says more than the
 * handler itself would: it only spares handlers that cannot match, and with them the wait for a body.
 *
 * @module
 */
import type { MatchKey } from "../../flow/matcher/types.ts";

/**
 * What the URL of every request that a path matches begins with, in lower case: paths of MSW ignore case.
 * `""` when nothing can be said.
 */
export function mswPrefix(path: unknown): string {
  const origin = originOf(path);
  if (origin === undefined) return "";
  const whole = (path as string).toLowerCase();
  const rest = whole.slice(origin.length);
  // Dot segments are resolved before paths are compared, and empty ones may be folded.
  if (/\/[./]/.test(rest)) return origin;
  const plain = /^[a-z0-9/._-]*/.exec(rest)![0];
  // Before a pattern only whole segments count, for "a*" and "a?" may match without the "a".
  const kept = plain === rest ? plain.replace(/\/$/, "") : plain.slice(0, plain.lastIndexOf("/"));
  return origin + kept;
}

/** The exact parts that a handler wants, for the index of rules. */
export function mswKey(method: string | undefined, path: unknown): MatchKey | undefined {
  const hostname = /^https?:\/\/([a-z0-9._-]+)$/.exec(originOf(path) ?? "")?.[1];
  if (method === undefined && hostname === undefined) return undefined;
  return { ...(method === undefined ? {} : { method }), ...(hostname === undefined ? {} : { hostname }) };
}

/** Scheme and host name in lower case, when both are plain and stand alone: not `https://*.test`, not `https://:tenant.test`. */
function originOf(path: unknown): string | undefined {
  if (typeof path !== "string") return undefined;
  const match = /^(https?:\/\/[a-z0-9._-]*[a-z0-9])(?::\d+)?(?:\/|$)/i.exec(path);
  return match?.[1]?.toLowerCase();
}
