/**
 * A clock that a test moves.
 *
 * @module
 */
import type { Clock } from "../../../src/wire/shape/clock.ts";

export class FakeClock implements Clock {
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];

  now = (): number => this.#now;

  after = (ms: number, callback: () => void): () => void => {
    const timer = { at: this.#now + Math.max(0, ms), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** How many timers are running. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets time pass, timer by timer. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = until;
  }
}
