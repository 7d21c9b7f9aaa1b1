/** A closed loop: each connection or stream sends its next request when the response to the last one is complete. */
import type { Buffer } from "node:buffer";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { itemPath } from "../payload.ts";
import { type Destination, dial, dialTls, type Endpoint, requestFor, trustIn } from "./connect.ts";
import { Http2Lane, openSession } from "./http2_lane.ts";
import { KeepAlive } from "./keep_alive.ts";
import type { Exchange, Lane } from "./lane.ts";
import { WebSocketLane } from "./websocket_lane.ts";

/** `http2`: streams of HTTP/2, in TLS. `websocket`: messages to a server that sends them back. */
export type Protocol = "http1" | "http2" | "websocket";

/** So many streams share a connection of HTTP/2. */
const STREAMS = 8;

export interface SteadyPlan {
  readonly endpoint: Endpoint;
  readonly to: Destination;
  readonly protocol: Protocol;
  /** How many requests are in flight at once: as many connections, except in HTTP/2. */
  readonly lanes: number;
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
  readonly #lanes: Lane[];
  readonly #exchanges: Exchange[];
  #turn = 0;

  private constructor(lanes: Lane[], exchanges: Exchange[]) {
    this.#lanes = lanes;
    this.#exchanges = exchanges;
  }

  static async open(plan: SteadyPlan): Promise<SteadyLoad> {
    const load = new SteadyLoad(await openLanes(plan), prepare(plan));
    await load.drive({ requests: plan.lanes });
    return load;
  }

  async drive(until: { ms?: number; requests?: number }): Promise<Driven> {
    const begin = performance.now();
    const used = process.cpuUsage();
    const deadline = begin + (until.ms ?? Infinity);
    let left = until.requests ?? Infinity;
    const next = (): Exchange | undefined =>
      left-- > 0 && performance.now() < deadline ? this.#exchanges[this.#turn++ % this.#exchanges.length] : undefined;
    const counts = await Promise.all(this.#lanes.map((lane) => lane.run(next)));
    const ms = performance.now() - begin;
    const { user, system } = process.cpuUsage(used);
    return {
      requests: counts.reduce((a, b) => a + b, 0),
      ms,
      busy: (user + system) / 1000 / ms,
    };
  }

  close(): void {
    for (const lane of this.#lanes) lane.close();
  }
}

function openLanes({ protocol, endpoint, to, lanes, bodyBytes }: SteadyPlan): Promise<Lane[]> {
  const trust = to.scheme === "https" ? trustIn(endpoint) : undefined;
  const open = async (): Promise<Lane> => {
    const socket = await dial(endpoint.port);
    return new KeepAlive(trust ? await dialTls(socket, to, { trust }) : socket, bodyBytes);
  };
  const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
  switch (protocol) {
    case "http1":
      return Promise.all(times(lanes, open));
    case "http2": {
      const sessions = times(Math.ceil(lanes / STREAMS), () => openSession(endpoint, to, trust!));
      return Promise.all(sessions).then((all) =>
        all.flatMap((session) => times(STREAMS, () => new Http2Lane(session, bodyBytes)))
      );
    }
    case "websocket":
      return Promise.all(times(lanes, () => WebSocketLane.open(endpoint, to)));
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
