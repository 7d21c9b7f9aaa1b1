/**
 * Whether two flows went to the same place.
 *
 * @module
 */
import type { Flow } from "./flow.ts";

/** The same host, port and path, both with TLS or both without; method, query, headers and body may differ. */
export function similar(a: Flow, b: Flow): boolean {
  if (a.type === "tcp" || b.type === "tcp") {
    return a.type === "tcp" && b.type === "tcp" && a.hostname === b.hostname && a.port === b.port;
  }
  const [one, other] = [a.request, b.request];
  return one.hostname === other.hostname && one.port === other.port && one.path === other.path &&
    isSecure(one.scheme) === isSecure(other.scheme);
}

function isSecure(scheme: string): boolean {
  return scheme === "https" || scheme === "wss";
}
