/** One slice of steady load on one contender, measured: the heart of most scenarios. */
import type { Bench, RunningContender } from "./bench.ts";
import type { Job } from "./contenders/contender.ts";
import type { Destination } from "./load/connect.ts";
import { BODY_BYTES } from "./payload.ts";
import { figure, type Line } from "./result.ts";
import { spreadOf } from "./statistics.ts";

export const CONNECTIONS = 32;

export interface Slice {
  /** Processor time of the contender's process for each request, in microseconds. */
  readonly cpu: number;
  readonly perSecond: number;
  /** How much of one core the load generator used. */
  readonly loadBusy: number;
  readonly requests: number;
}

/** With what closing the proxy took in addition, spread over the requests: a recorder writes its tape then. */
export interface ClosedSlice extends Slice {
  readonly closing: number;
}

export interface SteadyOptions {
  readonly to: Destination;
  readonly paths?: number;
  readonly bodyBytes?: number;
  /** The contender must hold an exchange for each request afterwards. */
  readonly recorded?: boolean;
}

const warmed = new WeakSet<RunningContender>();

/** How long to drive a contender before it is measured. */
export function warmingMs({ pace }: Bench, contender: RunningContender): number {
  if (warmed.has(contender)) return pace.warmMs;
  warmed.add(contender);
  return pace.warmMs * 10;
}

/** A fresh proxy for each slice, as each test of a suite has its own. */
export async function measureSlice(
  bench: Bench,
  contender: RunningContender,
  job: Job,
  options: SteadyOptions,
): Promise<ClosedSlice> {
  const endpoint = await contender.start(job);
  const slice = await measureRunning(bench, contender, endpoint, options);
  const before = await contender.call.cpu();
  await contender.call.stop();
  return {
    ...slice,
    closing: (await contender.call.cpu() - before) / slice.requests,
  };
}

/** The same on a proxy that is up already and stays up. */
export async function measureRunning(
  bench: Bench,
  contender: RunningContender,
  endpoint: { port: number; ca?: string },
  { to, paths = 64, bodyBytes = BODY_BYTES, recorded = false }: SteadyOptions,
): Promise<Slice> {
  const { load, pace } = bench;
  await load.open({ endpoint, to, paths, bodyBytes, connections: CONNECTIONS });
  await load.drive({
    ms: warmed.has(contender) ? pace.warmMs : pace.warmMs * 10,
  });
  warmed.add(contender);
  if (recorded) await contender.call.reset();

  const before = await contender.call.cpu();
  const driven = await load.drive({ ms: pace.sliceMs });
  const used = await contender.call.cpu() - before;

  await load.close();
  if (recorded) await expectRecorded(contender, driven.requests);
  return {
    cpu: used / driven.requests,
    perSecond: driven.requests / (driven.ms / 1000),
    loadBusy: driven.busy,
    requests: driven.requests,
  };
}

export function sliceLine(name: string, slices: readonly Slice[]): Line {
  return {
    name,
    figures: [
      figure("processor time a request", "us", slices.map((slice) => slice.cpu)),
      figure("requests", "per second", slices.map((slice) => slice.perSecond)),
    ],
  };
}

/** Says so when the load generator had no time left: requests a second are its limit then, processor time is right all the same. */
export function busyNote(slices: readonly Slice[]): string[] {
  const { median } = spreadOf(slices.map((slice) => slice.loadBusy));
  return median < 0.9 ? [] : [
    `the load generator used ${Math.round(median * 100)} % of a core: more requests a second were not asked for`,
  ];
}

/** Some contenders tell of an exchange a moment after its last byte. */
async function expectRecorded(contender: RunningContender, requests: number): Promise<void> {
  let seen = 0;
  for (let attempt = 0; attempt < 50; attempt++) {
    seen = await contender.call.seen();
    if (seen >= requests) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${contender.name} answered ${requests} requests and recorded ${seen}`);
}
