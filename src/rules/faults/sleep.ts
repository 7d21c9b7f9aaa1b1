/**
 * Waiting that ends with its flow.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";

/** Waits for so many milliseconds, or for ever; an abort ends it at once. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = ms === Infinity ? undefined : setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
