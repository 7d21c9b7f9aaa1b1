/** The load generator: a process that asks a contender for known things in a known way, and checks what comes back. */
import { serve } from "../rpc.ts";
import type { Destination, Endpoint } from "./connect.ts";
import { type Download, download } from "./download.ts";
import { type Crowd, gather } from "./crowd.ts";
import { meetAtOnce, meetNames, reconnect } from "./handshakes.ts";
import { SteadyLoad, type SteadyPlan } from "./steady_load.ts";

let steady: SteadyLoad | undefined;
let crowd: Crowd | undefined;

const methods = {
  /** Opens keep-alive connections and sends one request on each. */
  async open(plan: SteadyPlan): Promise<void> {
    steady = await SteadyLoad.open(plan);
  },
  /** Sends requests for a time or for a count; nothing is in flight before and after. */
  drive: (until: { ms?: number; requests?: number }) => (steady ?? notOpen()).drive(until),
  close(): void {
    steady?.close();
    steady = undefined;
  },
  reconnect: (
    o: {
      endpoint: Endpoint;
      to: Destination;
      path: string;
      ms: number;
      clients: number;
    },
  ) => reconnect(o),
  meetNames: (o: { endpoint: Endpoint; names: string[]; path: string }) => meetNames(o),
  meetAtOnce: (
    o: { endpoint: Endpoint; name: string; path: string; clients: number },
  ) => meetAtOnce(o),
  download: (o: Download) => download(o),
  /** Starts the servers that connections of every kind need; tells what the proxy must know of them. */
  async gather() {
    crowd = await gather();
    return crowd.surroundings;
  },
  /** Opens so many connections of every kind. */
  come: (o: { endpoint: Endpoint; ofEach: number }) => crowd!.come(o),
  /** Resolves when the proxy has closed all connections of the crowd; then its servers are closed, too. */
  async disperse(): Promise<void> {
    await crowd!.disperse();
    crowd = undefined;
  },
};

export type LoadMethods = typeof methods;
serve(methods);

function notOpen(): never {
  throw new Error("drive() before open()");
}
