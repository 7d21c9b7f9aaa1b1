/**
 * A deadline that costs next to nothing to move.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";

/**
 * Calls back when a deadline passes. Every request moves deadlines several times and almost none is ever reached, so
 * moving one is a store: the timer looks at the deadline when it fires, and goes on if it was moved.
 */
export class Watch {
  readonly #expired: () => void;
  #deadline = Infinity;
  #firesAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param expired called when the deadline has passed; the watch is then off */
  constructor(expired: () => void) {
    this.#expired = expired;
  }

  /** Sets the deadline to `ms` milliseconds from now. `Infinity` turns it off. */
  set(ms: number): void {
    this.#deadline = performance.now() + ms;
    if (this.#deadline < this.#firesAt) this.#arm(ms);
  }

  /** Whether there is a deadline. */
  get on(): boolean {
    return this.#deadline !== Infinity;
  }

  /** No deadline for now. */
  off(): void {
    this.#deadline = Infinity;
  }

  /** No deadline ever again: nothing keeps the process alive. */
  close(): void {
    this.#deadline = Infinity;
    this.#firesAt = -Infinity;
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = this.#deadline;
    this.#timer = setTimeout(() => this.#fire(), Math.min(ms, MAX_DELAY));
  }

  #fire(): void {
    this.#firesAt = Infinity;
    if (this.#deadline === Infinity) return;
    const left = this.#deadline - performance.now();
    if (left > 0) {
      this.#arm(Math.ceil(left));
      return;
    }
    this.#deadline = Infinity;
    this.#expired();
  }
}

/** Longer delays overflow to one millisecond in every runtime. */
const MAX_DELAY = 2 ** 31 - 1;
