/** A closed loop over keep-alive connections: each sends its next request when the response to the last one is complete. */
import type { Buffer } from "node:buffer";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { itemPath } from "../payload.ts";
import { type Destination, dial, dialTls, type Endpoint, requestFor, trustIn } from "./connect.ts";
import { type Exchange, KeepAlive } from "./keep_alive.ts";

export interface SteadyPlan {
  readonly endpoint: Endpoint;
  readonly to: Destination;
  readonly connections: number;
  /** How many different paths are asked for, in turn. */
  readonly paths: number;
  readonly bodyBytes: number;
}

export interface Driven {
  readonly requests: number;
  readonly ms: number;
  /** How much of one core the load generator itself used: near 1, it was the bottleneck. */
  readonly busy: number;
}

export class SteadyLoad {
  readonly #connections: KeepAlive[];
  readonly #exchanges: Exchange[];
  #turn = 0;

  private constructor(connections: KeepAlive[], exchanges: Exchange[]) {
    this.#connections = connections;
    this.#exchanges = exchanges;
  }

  static async open(plan: SteadyPlan): Promise<SteadyLoad> {
    const exchanges = prepare(plan);
    const trust = plan.to.scheme === "https" ? trustIn(plan.endpoint) : undefined;
    const connections = await Promise.all(
      Array.from({ length: plan.connections }, async () => {
        const socket = await dial(plan.endpoint.port);
        return new KeepAlive(trust ? await dialTls(socket, plan.to, trust) : socket, plan.bodyBytes);
      }),
    );
    const load = new SteadyLoad(connections, exchanges);
    await load.drive({ requests: plan.connections });
    return load;
  }

  async drive(until: { ms?: number; requests?: number }): Promise<Driven> {
    const begin = performance.now();
    const used = process.cpuUsage();
    const deadline = begin + (until.ms ?? Infinity);
    let left = until.requests ?? Infinity;
    const next = (): Exchange | undefined =>
      left-- > 0 && performance.now() < deadline ? this.#exchanges[this.#turn++ % this.#exchanges.length] : undefined;
    const counts = await Promise.all(this.#connections.map((connection) => connection.run(next)));
    const ms = performance.now() - begin;
    const { user, system } = process.cpuUsage(used);
    return {
      requests: counts.reduce((a, b) => a + b, 0),
      ms,
      busy: (user + system) / 1000 / ms,
    };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

/** Every request as bytes, so that the loop only writes. */
function prepare(plan: SteadyPlan): Exchange[] {
  return Array.from(
    { length: plan.paths },
    (_, index): { request: Buffer; path: string } => {
      const path = itemPath(index);
      return { path, request: requestFor(plan.to, path) };
    },
  );
}
