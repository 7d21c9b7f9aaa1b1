/**
 * Time, for what is slow on purpose.
 *
 * @module
 */
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from "node:timers";

/** Tells the time and wakes up. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  /** Calls back once, never in the same turn. What it returns takes that back. */
  after(ms: number, callback: () => void): () => void;
}

/** The time of this machine. */
export const REAL_CLOCK: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    if (ms <= 0) {
      const turn = setImmediate(callback);
      return () => clearImmediate(turn);
    }
    // A timer may fire a fraction too early: whoever is woken looks again.
    const timer = setTimeout(callback, Math.min(Math.ceil(ms), MAX_DELAY));
    return () => clearTimeout(timer);
  },
};

/** Longer delays overflow to one millisecond in every runtime. */
const MAX_DELAY = 2 ** 31 - 1;
