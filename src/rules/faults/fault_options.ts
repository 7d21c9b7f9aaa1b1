/**
 * What `fault()` can be told.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { didYouMean } from "../../flow/suggest.ts";
import type { Action } from "../action.ts";
import { checkObject } from "../check.ts";
import { checkNumber, type NumberRange, TIME } from "./check_number.ts";
import type { Distribution } from "./distribution.ts";

/** A fault. `docs/faults.md` shows each of them. */
export type FaultKind =
  /** The connection is reset: before the response, after so many bytes (`after`), or after a silence (`ms`). */
  | "reset"
  /** The connection is closed without a byte. */
  | "empty"
  /** The head of a response, garbage where a chunk is due, and the end. */
  | "malformed-chunk"
  /** Garbage instead of a response, and the end. */
  | "random-data"
  /** Nothing passes any more; closed after a time (`ms`), or never. */
  | "timeout"
  /** Closed after so many bytes of the body (`bytes`). */
  | "limit"
  /** Closed before the body has its length: after so many bytes (`bytes`), or after half of it. */
  | "truncate"
  /** Head and body are late by a time (`ms`). */
  | "latency"
  /** The body comes in so many pieces (`chunks`), spread evenly over a time (`ms`). */
  | "dribble"
  /** The body comes in small pieces (`size`, `variation`), with a pause (`ms`) behind each. */
  | "slice"
  /** The head takes a time (`ms`), bit by bit. */
  | "slow-head"
  /** The end of the message or connection is late (`ms`). */
  | "slow-close";

/** Options of a fault. Which of them a kind takes is checked when it is made. */
export interface FaultOptions {
  /**
   * Which way: `response` is to the client, the default; `request` to the server, which has no effect on what a rule or the tape answers.
   * What breaks, breaks both connections. `both` where bytes are slowed down.
   */
  readonly on?: "request" | "response" | "both";
  /**
   * What answers the request; `"forward"` by default: the server or the tape. The kinds `reset`, `empty`, `malformed-chunk`,
   * `random-data` and `timeout` ask nobody and happen at once, unless `then`, `on` or `after` is given.
   */
  readonly then?: Action;
  /** How many of the flows it happens to, from 0 to 1. 1 by default. The others meet `then`. */
  readonly probability?: number;
  /** The draws of one run (probability, times, sizes, garbage) are those of every run with the same seed. */
  readonly seed?: number;
  /** Milliseconds. A distribution for `latency` alone. */
  readonly ms?: number | Distribution;
  /** `limit` and `truncate`: how many bytes of the body pass; `random-data` and `malformed-chunk`: how many are sent, 64 by default. */
  readonly bytes?: number;
  /** `reset` and `timeout`: so many bytes of the body pass first. */
  readonly after?: number;
  /** `dribble`: how many pieces. */
  readonly chunks?: number;
  /** `slice`: bytes of an average piece. */
  readonly size?: number;
  /** `slice`: so many bytes more or less. 0 by default. */
  readonly variation?: number;
  /** Of HTTP/2, for faults that break: `stream`, the default, breaks the flow alone; `connection` all that share the connection. */
  readonly scope?: "stream" | "connection";
  /** Of HTTP/2: the code of the RST_STREAM (RFC 9113 section 7) that breaks the stream. INTERNAL_ERROR, 2, by default. */
  readonly resetCode?: number;
}

const BREAKS = ["scope", "resetCode"] as const;
const COMMON = ["on", "then", "probability", "seed"] as const;

/** What each kind takes; with `!` what it needs. */
const TAKES: Readonly<Record<FaultKind, readonly string[]>> = {
  "reset": ["after", "ms", ...BREAKS],
  "empty": BREAKS,
  "malformed-chunk": ["bytes", ...BREAKS],
  "random-data": ["bytes", ...BREAKS],
  "timeout": ["after", "ms", ...BREAKS],
  "limit": ["bytes!", ...BREAKS],
  "truncate": ["bytes", ...BREAKS],
  "latency": ["ms!"],
  "dribble": ["chunks!", "ms!"],
  "slice": ["size!", "variation", "ms"],
  "slow-head": ["ms!"],
  "slow-close": ["ms!"],
};

const BYTES: NumberRange = { min: 0, whole: true };
const RANGES: Readonly<Partial<Record<keyof FaultOptions, NumberRange>>> = {
  probability: { min: 0, max: 1 },
  seed: { min: -Infinity },
  bytes: BYTES,
  after: BYTES,
  chunks: { min: 1, whole: true },
  size: { min: 1, whole: true },
  variation: BYTES,
  resetCode: { min: 0, max: 2 ** 32 - 1, whole: true },
};

/** The ways that a kind can go. */
const SLOWS: readonly FaultKind[] = ["latency", "dribble", "slice", "slow-head", "slow-close"];

/**
 * Checks what was given to `fault()`.
 *
 * @throws {OptionsError} names the option and what is accepted
 */
export function checkFault(kind: FaultKind, options: FaultOptions): void {
  const kinds = Object.keys(TAKES);
  if (typeof kind !== "string" || !Object.hasOwn(TAKES, kind)) {
    const hint = typeof kind === "string" ? didYouMean(kind, kinds) : "";
    throw new OptionsError(
      `fault() does not know the kind ${describeValue(kind)}${hint} (${kinds.join(", ")} are known)`,
    );
  }
  const where = `fault(${JSON.stringify(kind)})`;
  const takes = TAKES[kind].map((name) => name.replace("!", ""));
  checkObject(options, [...takes, ...COMMON], where);
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of TAKES[kind]) {
    if (!name.endsWith("!") || given[name.slice(0, -1)] !== undefined) continue;
    throw new OptionsError(`${where} needs the option ${name.slice(0, -1)}`);
  }
  for (const [name, range] of Object.entries(RANGES)) {
    if (given[name] !== undefined) checkNumber(given[name], `option ${name} of ${where}`, range);
  }
  if (kind !== "latency" && given["ms"] !== undefined) checkNumber(given["ms"], `option ms of ${where}`, TIME);
  checkOneOf(options.scope, ["stream", "connection"], `option scope of ${where}`);
  checkOneOf(options.on, waysOf(kind), `option on of ${where}`);
  if (kind === "slice" && (options.variation ?? 0) >= options.size!) {
    throw new OptionsError(`option variation of ${where} is ${options.variation}: less than size is accepted`);
  }
  if (options.scope === "connection" && options.resetCode !== undefined) {
    throw new OptionsError(`${where}: a resetCode is for one stream, not for { scope: "connection" }`);
  }
}

/** Which ways are accepted. */
export function waysOf(kind: FaultKind): readonly string[] {
  if (kind === "malformed-chunk" || kind === "random-data") return ["response"];
  return SLOWS.includes(kind) ? ["request", "response", "both"] : ["request", "response"];
}

/** Refuses a value that is not one of some strings. */
export function checkOneOf(value: unknown, accepted: readonly string[], where: string): void {
  if (value === undefined || accepted.includes(value as string)) return;
  const list = accepted.map((it) => JSON.stringify(it)).join(" or ");
  throw new OptionsError(`${where} is ${describeValue(value)}: ${list} is accepted`);
}
