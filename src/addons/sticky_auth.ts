/**
 * Credentials for clients that have none.
 *
 * @module
 */
import type { Addon } from "../hooks/addon.ts";

/** How many servers are remembered; of more, the oldest go. */
const MAX_SERVERS = 1000;

/**
 * Keeps the `Authorization` field that clients send to a server (scheme, host and port), and adds it to later requests that have none.
 *
 * @example
 * ```ts
 * import { startProxy } from "flowtape";
 * import { only, stickyAuth } from "flowtape/addons";
 *
 * await using proxy = await startProxy({ addons: [only({ host: "api.test" }, stickyAuth())] });
 * ```
 */
export function stickyAuth(): Addon {
  const kept = new Map<string, string>();
  return {
    name: "stickyAuth",
    requestHeaders({ request: { scheme, hostname, port, headers } }) {
      const server = `${scheme}://${hostname}:${port}`;
      const given = headers.get("authorization");
      if (given !== null) {
        kept.delete(server);
        kept.set(server, given);
        if (kept.size > MAX_SERVERS) kept.delete(kept.keys().next().value!);
        return;
      }
      const last = kept.get(server);
      if (last !== undefined) headers.set("Authorization", last);
    },
  };
}
