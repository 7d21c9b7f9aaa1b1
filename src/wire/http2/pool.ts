/**
 * Connections to servers that speak HTTP/2, and which servers do.
 *
 * @module
 */
import type { Http2UpstreamConnection } from "./upstream_connection.ts";
import type { UpstreamStream } from "../exchange/upstream_stream.ts";
import type { UpstreamRequest } from "./upstream_request.ts";

/** So many servers of HTTP/1.1 are remembered. */
const MAX_KNOWN = 1000;

/** What has come of a connection that may speak HTTP/2. */
export interface Negotiated {
  /** For the exchange that has asked for it. */
  readonly stream: UpstreamStream;
  /** When others can be begun, if at all. */
  readonly ready?: Promise<unknown>;
}

/** Connections by server. */
export class Http2Pool {
  readonly #connections = new Map<string, Http2UpstreamConnection[]>();
  readonly #negotiations = new Map<string, Promise<unknown>>();
  readonly #http1 = new Set<string>();

  /** A stream of a connection that has room for one. */
  take(key: string): UpstreamRequest | undefined {
    return this.#connections.get(key)?.find((connection) => connection.available)?.open();
  }

  /** Keeps a connection until it is closed. */
  add(key: string, connection: Http2UpstreamConnection): void {
    const list = this.#connections.get(key);
    if (list === undefined) this.#connections.set(key, [connection]);
    else list.push(connection);
  }

  /** Forgets a connection that is closed. */
  drop(key: string, connection: Http2UpstreamConnection): void {
    const rest = this.#connections.get(key)?.filter((other) => other !== connection) ?? [];
    if (rest.length === 0) this.#connections.delete(key);
    else this.#connections.set(key, rest);
  }

  /** A connection that is being made, and may have room for more than one exchange. */
  negotiation(key: string): Promise<unknown> | undefined {
    return this.#negotiations.get(key);
  }

  /** Makes a connection that others may wait for, until it is known how many streams it can have. */
  async negotiate(key: string, connect: () => Promise<Negotiated>): Promise<UpstreamStream> {
    const connecting = connect();
    const ready = connecting.then((it) => it.ready).finally(() => this.#negotiations.delete(key));
    // Who waits hears of it.
    ready.catch(() => {});
    this.#negotiations.set(key, ready);
    return (await connecting).stream;
  }

  /** Whether it is known that the server speaks HTTP/1.1. */
  isHttp1(key: string): boolean {
    return this.#http1.has(key);
  }

  /** The server speaks HTTP/1.1. */
  setHttp1(key: string): void {
    if (this.#http1.size >= MAX_KNOWN) this.#http1.clear();
    this.#http1.add(key);
  }
}
