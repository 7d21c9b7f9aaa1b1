/**
 * Connections to servers that wait for their next request.
 *
 * @module
 */
import type { UpstreamConnection } from "./connection.ts";

/** At most so many connections wait, over all servers. */
const MAX_IDLE = 256;
/** Servers commonly close after five seconds: a request must not meet a connection that is just being closed. */
const IDLE_MS = 4000;

/** Idle connections by server; the one used last is used first, so that the others can expire. */
export class Pool {
  readonly #idle = new Map<string, UpstreamConnection[]>();
  #count = 0;

  /** An idle connection, if there is one. */
  take(key: string): UpstreamConnection | undefined {
    const list = this.#idle.get(key);
    for (let connection = list?.pop(); connection !== undefined; connection = list?.pop()) {
      this.#count--;
      if (connection.usable) return connection;
    }
    return undefined;
  }

  /** Keeps a connection whose exchange is over. */
  put(key: string, connection: UpstreamConnection): void {
    if (this.#count >= MAX_IDLE) {
      connection.destroy();
      return;
    }
    connection.expire(IDLE_MS);
    const list = this.#idle.get(key);
    if (list === undefined) this.#idle.set(key, [connection]);
    else list.push(connection);
    this.#count++;
  }

  /** Forgets a connection that was closed. */
  drop(key: string, connection: UpstreamConnection): void {
    const list = this.#idle.get(key);
    const at = list?.indexOf(connection) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    this.#count--;
    if (list.length === 0) this.#idle.delete(key);
  }
}
