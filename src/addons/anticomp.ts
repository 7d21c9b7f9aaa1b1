/**
 * Responses that are not compressed.
 *
 * @module
 */
import type { Addon } from "../hooks/addon.ts";

/**
 * Asks servers for bodies without compression (`Accept-Encoding: identity`). A server may compress all the same.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { anticomp } from "flowtape/addons";
 *
 * await using proxy = await startProxy({ addons: [anticomp()] });
 * ```
 */
export function anticomp(): Addon {
  return {
    name: "anticomp",
    requestHeaders: ({ request }) => request.headers.set("Accept-Encoding", "identity"),
  };
}
