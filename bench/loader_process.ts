/** Loads one tape in a process that has done nothing else. */
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import type * as FlowtapeTape from "../src/tape/mod.ts";
import { serve } from "./rpc.ts";

/** What loading a tape has taken. */
export interface Loading {
  readonly ms: number;
  /** Milliseconds of processor time, every thread. */
  readonly cpu: number;
  /** What stays in memory. */
  readonly bytes: number;
}

let tape: FlowtapeTape.Tape | undefined;

const methods = {
  /** `module`: where `flowtape/tape` is. */
  async load({ module, path, entries }: { module: string; path: string; entries: number }): Promise<Loading> {
    const { readTape }: typeof FlowtapeTape = await import(module);
    const before = await memory();
    const begin = performance.now();
    const start = process.cpuUsage();
    tape = await readTape(path);
    const { user, system } = process.cpuUsage(start);
    const ms = performance.now() - begin;
    const bytes = await memory() - before;
    if (tape.entries.length !== entries) throw new Error(`${path} has ${tape.entries.length} entries, not ${entries}`);
    return { ms, cpu: (user + system) / 1000, bytes };
  },
};

async function memory(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage(); // external includes arrayBuffers
  return heapUsed + external;
}

export type LoaderMethods = typeof methods;
serve(methods);
