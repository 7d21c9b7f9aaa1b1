/**
 * When the pieces of a body may go, and in which sizes.
 *
 * @module
 */
import type { Stage } from "../../flow/shape.ts";

/** Something that a body has to go through. */
export interface Pacer {
  /** How many of the next `size` bytes may go in one piece; at least one. */
  size(size: number): number;
  /** When a piece of this size may go, which has come at `arrival`. Asked once for each piece, in their order. */
  due(size: number, arrival: number, now: number): number;
}

/** What is known of a body. */
export interface Body {
  /** Its length, as far as that is known. */
  readonly total?: number | undefined;
  /** There must be none: what comes of it is not sent, whatever an addon has made. */
  readonly none?: boolean;
}

/** The pacers of stages that pace. */
export function pacersOf(stages: readonly Stage[], body: Body): Pacer[] {
  return stages.flatMap((stage): Pacer[] => {
    switch (stage.kind) {
      case "rate":
        return [new Rate(stage.bytesPerSecond)];
      case "slice":
        return [new Slicer(stage.draw, stage.pause)];
      case "dribble":
        return [new Dribble(stage.chunks, stage.ms, body.total)];
      default:
        return [];
    }
  });
}

/** How long the pieces of a throttled body are apart, in milliseconds. */
const BEAT_MS = 25;
/** What a line that was held up from outside may catch up, in milliseconds. */
const CATCH_UP_MS = 200;

class Rate implements Pacer {
  readonly #perMs: number;
  #free = -Infinity;

  constructor(bytesPerSecond: number) {
    this.#perMs = bytesPerSecond / 1000;
  }

  size(size: number): number {
    return Math.min(size, Math.max(1, Math.floor(this.#perMs * BEAT_MS)));
  }

  due(size: number, arrival: number, now: number): number {
    const start = Math.max(this.#free, arrival, now - CATCH_UP_MS);
    return this.#free = start + size / this.#perMs;
  }
}

class Slicer implements Pacer {
  readonly #draw: () => number;
  readonly #pause: number;
  #free = -Infinity;

  constructor(draw: () => number, pause: number) {
    this.#draw = draw;
    this.#pause = pause;
  }

  size(size: number): number {
    return Math.min(size, Math.max(1, Math.round(this.#draw())));
  }

  due(_size: number, _arrival: number, now: number): number {
    const due = Math.max(this.#free, now);
    this.#free = due + this.#pause;
    return due;
  }
}

class Dribble implements Pacer {
  readonly #pause: number;
  readonly #sizes: Generator<number> | undefined;
  #left = 0;
  #free: number | undefined;

  constructor(chunks: number, ms: number, total: number | undefined) {
    this.#pause = ms / chunks;
    if (total !== undefined) this.#sizes = shares(total, chunks);
  }

  size(size: number): number {
    // What is left of one chunk is a piece of its own when the body came in pieces that do not fit.
    if (this.#left === 0) this.#left = this.#sizes?.next().value ?? size;
    return Math.max(1, Math.min(size, this.#left));
  }

  due(size: number, arrival: number, now: number): number {
    this.#free ??= Math.max(arrival, now) + this.#pause;
    const due = this.#free;
    this.#left = Math.max(0, this.#left - size);
    if (this.#left === 0) this.#free = due + this.#pause;
    return due;
  }
}

/** A length in so many parts that differ by one at most. */
function* shares(total: number, parts: number): Generator<number> {
  for (let i = 1; i <= parts; i++) {
    const size = Math.floor(total * i / parts) - Math.floor(total * (i - 1) / parts);
    if (size > 0) yield size;
  }
}
