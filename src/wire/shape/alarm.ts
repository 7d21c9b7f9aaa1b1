/**
 * One timer at a time.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** Wakes whoever has set it, once, and never too early. */
export class Alarm {
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  /** @param clock that it goes by */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether it is set. */
  get on(): boolean {
    return this.#cancel !== undefined;
  }

  /** Sets it to so many milliseconds from now; what it was set to is forgotten. */
  set(ms: number, step: () => void): void {
    this.off();
    const due = this.#clock.now() + ms;
    const cancel = this.#clock.after(ms, () => {
      if (this.#cancel !== cancel) return;
      this.#cancel = undefined;
      // A timer may be a fraction early, and a very long one wakes in between.
      const left = due - this.#clock.now();
      if (ms > 0 && left > 0) this.set(left, step);
      else step();
    });
    this.#cancel = cancel;
  }

  /** It will not wake anybody. */
  off(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
