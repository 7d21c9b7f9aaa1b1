/** The load generator: a process that asks a contender for known things in a known way, and checks what comes back. */
import { serve } from "../rpc.ts";
import type { Destination, Endpoint } from "./connect.ts";
import { download } from "./download.ts";
import { meetAtOnce, meetNames, reconnect } from "./handshakes.ts";
import { SteadyLoad, type SteadyPlan } from "./steady_load.ts";

let steady: SteadyLoad | undefined;

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
  download: (o: { endpoint: Endpoint; to: Destination; bytes: number }) => download(o),
};

export type LoadMethods = typeof methods;
serve(methods);

function notOpen(): never {
  throw new Error("drive() before open()");
}
