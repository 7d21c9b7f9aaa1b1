/** The process around one contender: starts it, and reads its processor time and memory. */
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { serve } from "../rpc.ts";
import type { Contender, ContenderName, Job, Surroundings } from "./contender.ts";

const modules: Record<ContenderName, () => Promise<{ contender: Contender }>> = {
  flowtape: () => import("./flowtape.ts"),
  node: () => import("./node.ts"),
  mockttp: () => import("./mockttp.ts"),
};

const { contender } = await modules[process.argv[2] as ContenderName]();
let sampler: NodeJS.Timeout | undefined;
let highest = 0;

const methods = {
  start: (o: { job: Job; surroundings: Surroundings }) => contender.start(o.job, o.surroundings),
  seen: () => contender.seen(),
  reset: () => contender.reset(),
  stop: () => contender.stop(),
  /** The milliseconds that stopping takes. */
  async timeStop(): Promise<number> {
    const begin = performance.now();
    await contender.stop();
    return performance.now() - begin;
  },
  /** What keeps this process alive, by kind. */
  async open(): Promise<string[]> {
    await setImmediate();
    return process.getActiveResourcesInfo();
  },
  /** Processor time of this whole process so far, user and system, every thread, in microseconds. */
  cpu(): number {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  /** Bytes in use after garbage collection: the heap and what hangs on it outside. Needs `--expose-gc`. */
  async memory(): Promise<number> {
    for (let i = 0; i < 4; i++) {
      globalThis.gc?.();
      await setImmediate();
    }
    const { heapUsed, external } = process.memoryUsage(); // external includes arrayBuffers
    return heapUsed + external;
  },
  /** Resident memory now, and its highest value is watched from here on. */
  watchResident(): number {
    highest = process.memoryUsage.rss();
    clearInterval(sampler);
    sampler = setInterval(() => highest = Math.max(highest, process.memoryUsage.rss()), 5);
    return highest;
  },
  highestResident(): number {
    clearInterval(sampler);
    return Math.max(highest, process.memoryUsage.rss());
  },
};

export type ContenderMethods = typeof methods;
serve(methods);
