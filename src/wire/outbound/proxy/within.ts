/**
 * Waits for something that cannot be told to stop.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";

/** How long to wait. */
export interface WithinOptions {
  /** Milliseconds. */
  readonly ms: number;
  /** No longer than until it aborts. */
  readonly signal: AbortSignal;
  /** The error when the time is over. */
  timedOut(): Error;
  /** The error when the signal has aborted. */
  aborted(): Error;
}

/** What a promise comes to, unless the time is over or the signal aborts first; its result is then left alone. */
export function within<T>(promise: Promise<T>, { ms, signal, timedOut, aborted }: WithinOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    // What is waited for may never end: nothing of the waiting may stay behind.
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    const onAbort = () => {
      settle();
      reject(aborted());
    };
    const timer = setTimeout(() => {
      settle();
      reject(timedOut());
    }, ms);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(settle);
  });
}
