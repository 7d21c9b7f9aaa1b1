/** One slice of steady load on one contender, measured: the heart of most scenarios. */
import type { Bench, RunningContender } from "./bench.ts";
import type { Job } from "./contenders/contender.ts";
import type { Destination } from "./load/connect.ts";
import type { Protocol } from "./load/steady_load.ts";
import { BODY_BYTES } from "./payload.ts";
import { figure, type Line } from "./result.ts";
import { spreadOf } from "./statistics.ts";

/** How many requests are in flight at once. */
export const LANES = 32;

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
  readonly protocol?: Protocol;
  readonly paths?: number;
  readonly bodyBytes?: number;
  /** How many exchanges or messages the contender must hold afterwards for each request. */
  readonly kept?: number;
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
  { to, protocol = "http1", paths = 64, bodyBytes = BODY_BYTES, kept = 0 }: SteadyOptions,
): Promise<Slice> {
  const { load, pace } = bench;
  await load.open({ endpoint, to, protocol, paths, bodyBytes, lanes: LANES });
  await load.drive({
    ms: warmed.has(contender) ? pace.warmMs : pace.warmMs * 10,
  });
  warmed.add(contender);
  // What conversations are in the middle of stays with them.
  if (kept > 0 && protocol !== "websocket") await contender.call.reset();
  const held = await contender.call.seen();

  const before = await contender.call.cpu();
  const driven = await load.drive({ ms: pace.sliceMs });
  const used = await contender.call.cpu() - before;

  if (kept > 0) await expectKept(contender, held + kept * driven.requests);
  await load.close();
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
async function expectKept(contender: RunningContender, count: number): Promise<void> {
  let seen = 0;
  for (let attempt = 0; attempt < 50; attempt++) {
    seen = await contender.call.seen();
    if (seen >= count) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${contender.name} holds ${seen} exchanges or messages where there were ${count}`);
}
