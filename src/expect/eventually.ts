/**
 * Assertions that may come to hold within a time.
 *
 * @module
 */
import { setTimeout } from "node:timers/promises";
import type { Check } from "./check.ts";

/** Milliseconds between two looks. */
const INTERVAL = 15;

/** Looks until the outcome is settled or the time is up; what it was then. */
export async function eventually(within: number, look: () => Check): Promise<Check> {
  const end = performance.now() + within;
  for (;;) {
    // The last look is behind the end: what came until then counts.
    const isLast = performance.now() >= end;
    const check = look();
    if (check.settled || isLast) return check;
    await setTimeout(Math.min(INTERVAL, Math.max(1, end - performance.now())));
  }
}
