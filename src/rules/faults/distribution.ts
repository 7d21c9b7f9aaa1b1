/**
 * Times that are drawn.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { checkObject } from "../check.ts";
import { checkNumber, MAX_MS, TIME } from "./check_number.ts";

/** Any time between two is as likely as any other. */
export interface UniformTime {
  /** Milliseconds at least. */
  readonly min: number;
  /** Milliseconds at most. */
  readonly max: number;
  /** The draws of one run are those of every run with the same seed. */
  readonly seed?: number;
}

/** A time, more or less. */
export interface JitterTime {
  /** Milliseconds in the middle. */
  readonly ms: number;
  /** So many milliseconds more or less, each as likely as any other. */
  readonly jitter: number;
  /** The draws of one run are those of every run with the same seed. */
  readonly seed?: number;
}

/** A normal distribution. */
export interface NormalTime {
  /** Milliseconds in the middle. */
  readonly mean: number;
  /** The standard deviation: two of three times are no further away. */
  readonly deviation: number;
  /** Milliseconds at least: what is drawn below is this. 0 by default. */
  readonly min?: number;
  /** Milliseconds at most: what is drawn above is this. */
  readonly max?: number;
  /** The draws of one run are those of every run with the same seed. */
  readonly seed?: number;
}

/** A log-normal distribution, which many servers have: mostly near the median, with a long tail. */
export interface LogNormalTime {
  /** Milliseconds that half of the times do not reach. */
  readonly median: number;
  /** The standard deviation of the logarithm: the larger, the longer the tail. 0.1 is short, 1 is very long. */
  readonly sigma: number;
  /** Milliseconds at least: what is drawn below is this. 0 by default. */
  readonly min?: number;
  /** Milliseconds at most: what is drawn above is this. */
  readonly max?: number;
  /** The draws of one run are those of every run with the same seed. */
  readonly seed?: number;
}

/** A time that is drawn anew each time it is needed. */
export type Distribution = UniformTime | JitterTime | NormalTime | LogNormalTime;

/** A time as it is drawn and described. */
export interface Time {
  /** In a few words: `20 to 60 ms`. */
  readonly text: string;
  /** Makes the draws repeat. */
  readonly seed: number | undefined;
  /** Milliseconds; `random` gives numbers from 0 to 1. */
  draw(random: () => number): number;
}

/**
 * Checks a time and makes it ready.
 *
 * @param where what it is, such as `delay()`
 * @throws {OptionsError} it is neither milliseconds nor a distribution
 */
export function timeOf(given: number | Distribution, where: string): Time {
  if (typeof given === "number") {
    checkNumber(given, where, TIME);
    return { text: `${given} ms`, seed: undefined, draw: () => given };
  }
  const value: unknown = given;
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (!keys.some((key) => KEYS.includes(key))) {
    throw new OptionsError(`${where} takes ${FORMS}, not ${describeValue(value)}`);
  }
  const has = (key: string) => keys.includes(key);
  const kind = has("median") || has("sigma")
    ? logNormal
    : has("mean") || has("deviation")
    ? normal
    : has("jitter") || has("ms")
    ? jitter
    : uniform;
  const time = kind(given as never, where);
  const { seed } = given;
  if (seed !== undefined) checkNumber(seed, `${where}: seed`, { min: -Infinity });
  return { ...time, seed };
}

const KEYS = ["min", "max", "ms", "jitter", "mean", "deviation", "median", "sigma"];
const FORMS = "milliseconds, { min, max }, { ms, jitter }, { mean, deviation } or { median, sigma }";

type Drawn = Omit<Time, "seed">;

function uniform(given: UniformTime, where: string): Drawn {
  checkMembers(given, ["min", "max"], [], where);
  const { min, max } = given;
  if (min > max) throw new OptionsError(`${where}: min ${min} is more than max ${max}`);
  return { text: min === max ? `${min} ms` : `${min} to ${max} ms`, draw: (random) => min + random() * (max - min) };
}

function jitter(given: JitterTime, where: string): Drawn {
  checkMembers(given, ["ms", "jitter"], [], where);
  const { ms, jitter } = given;
  const clamp = limits({}, where);
  return { text: `${ms} ± ${jitter} ms`, draw: (random) => clamp(ms + (2 * random() - 1) * jitter) };
}

function normal(given: NormalTime, where: string): Drawn {
  checkMembers(given, ["mean", "deviation"], ["min", "max"], where);
  const { mean, deviation } = given;
  const clamp = limits(given, where);
  return {
    text: `about ${mean} ms (normal, ${deviation})`,
    draw: (random) => clamp(mean + deviation * standardNormal(random)),
  };
}

function logNormal(given: LogNormalTime, where: string): Drawn {
  checkMembers(given, ["median"], ["sigma", "min", "max"], where);
  checkNumber(given.sigma, `${where}: sigma`, { min: 0 });
  const { median, sigma } = given;
  const clamp = limits(given, where);
  return {
    text: `about ${median} ms (log-normal, ${sigma})`,
    draw: (random) => clamp(median * Math.exp(sigma * standardNormal(random))),
  };
}

function checkMembers(given: object, needed: readonly string[], more: readonly string[], where: string): void {
  checkObject(given, [...needed, ...more, "seed"], where);
  for (const name of needed) checkNumber((given as Record<string, unknown>)[name], `${where}: ${name}`, TIME);
}

function limits({ min = 0, max = MAX_MS }: { min?: number; max?: number }, where: string): (ms: number) => number {
  checkNumber(min, `${where}: min`, TIME);
  checkNumber(max, `${where}: max`, TIME);
  if (min > max) throw new OptionsError(`${where}: min ${min} is more than max ${max}`);
  return (ms) => Math.min(max, Math.max(min, ms));
}

/** The Box-Muller transform. */
function standardNormal(random: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(Math.max(1 - random(), Number.MIN_VALUE)));
  return radius * Math.cos(2 * Math.PI * random());
}
