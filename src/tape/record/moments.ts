/**
 * When a flow began and ended.
 *
 * @module
 */
import type { Flow } from "../../flow/flow.ts";

/** Milliseconds since 1970, as exactly as they are known: requests that follow one another may do so within one. */
export function momentsOf({ timings, origin }: Flow): { start: number; end: number } {
  const exact = performance.timeOrigin + origin;
  // A clock that was set meanwhile, or a flow that was made by hand.
  const start = Math.abs(exact - timings.start) < 5000 ? exact : timings.start;
  return { start, end: start + (timings.end ?? 0) };
}
