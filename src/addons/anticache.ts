/**
 * Responses that are there, whatever the client has already.
 *
 * @module
 */
import type { Addon } from "../hooks/addon.ts";

/**
 * Takes out of requests what makes servers answer 304 (Not Modified): `If-None-Match` and `If-Modified-Since`. So every response comes with
 * its body, and a tape holds it. `If-Match` and `If-Unmodified-Since` stay, because they guard changes.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { anticache } from "flowtape/addons";
 *
 * await using proxy = await startProxy({ addons: [anticache()] });
 * ```
 */
export function anticache(): Addon {
  return {
    name: "anticache",
    requestHeaders({ request: { headers } }) {
      headers.delete("if-none-match");
      headers.delete("if-modified-since");
    },
  };
}
