/**
 * Why nothing answered a request, and what to do about it, as data: the tape and the rules note it, assertions and reports show it.
 *
 * @module
 */
import type { Comparison } from "./matcher/types.ts";
import type { FlowRequest } from "./request.ts";

/** What almost answered a request. */
export interface NearAnswer {
  /** Something on the tape, or a rule. */
  readonly kind: "entry" | "rule";
  /** Which one, such as `rules[2], POST https://shop.test/order`. */
  readonly title: string;
  /** From 0, nothing fits, to 1. */
  readonly closeness: number;
  /** Part by part; what it has or wants is `expected`. */
  readonly comparisons: readonly Comparison[];
}

/** One thing to do about it. */
export interface Advice {
  /** When to do it, such as `to answer it with a rule`. */
  readonly text: string;
  /** The line to add. */
  readonly code: string;
}

/** Why nothing answered a request. */
export interface Miss {
  /** Why, where there is nothing to compare with, such as `there is no such tape yet`. */
  readonly reason?: string;
  /** What came nearest. */
  readonly nearest: readonly NearAnswer[];
  /** What to do. */
  readonly advice: readonly Advice[];
}

const misses = new WeakMap<FlowRequest, Miss>();

/** Adds to what is known of a request that nothing answered. */
export function noteMiss(request: FlowRequest, miss: Miss): void {
  const known = misses.get(request);
  const reason = miss.reason ?? known?.reason;
  misses.set(request, {
    ...(reason === undefined ? {} : { reason }),
    nearest: [...known?.nearest ?? [], ...miss.nearest],
    advice: [...known?.advice ?? [], ...miss.advice],
  });
}

/** Why nothing answered a request; `undefined` when something did, or it is not known. */
export function missOf(request: FlowRequest): Miss | undefined {
  return misses.get(request);
}
