/**
 * How fast what was recorded is replayed.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import type { TapeOptions } from "../options.ts";

/** Whether times are written: who wants to replay at the recorded pace needs them. */
export function writesTimes({ times, latency = "none" }: Pick<TapeOptions, "times" | "latency">): boolean {
  return times ?? latency !== "none";
}

/** The longest wait of a timer. */
const MAX_MS = 2 ** 31 - 1;

/** Times of the tape as times of the replay; and the timers for them, which end with the tape. */
export class Pace {
  readonly #factor: number;
  readonly #timers = new Set<() => void>();
  #closed = false;

  /** @param latency as in the options of a tape */
  constructor(latency: TapeOptions["latency"] = "none") {
    this.#factor = latency === "none" ? 0 : latency === "recorded" ? 1 : latency;
  }

  /** How long a recorded time is. */
  of(ms: number | undefined): number {
    return Math.min(MAX_MS, (ms ?? 0) * this.#factor);
  }

  /** Calls back after so many milliseconds, at once when there are none. @returns takes it back */
  after(ms: number, callback: () => void): () => void {
    if (this.#closed) return () => {};
    if (ms <= 0) {
      callback();
      return () => {};
    }
    const cancel = () => {
      clearTimeout(timer);
      this.#timers.delete(cancel);
    };
    const timer = setTimeout(() => {
      this.#timers.delete(cancel);
      callback();
    }, ms);
    this.#timers.add(cancel);
    return cancel;
  }

  /** Nothing is called any more. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
  }
}
