/**
 * Where the chunks of a body ended, and when.
 *
 * @module
 */

/** More chunks than this are not told apart: the last one takes in what follows. */
const MAX_CHUNKS = 100_000;

/** What {@linkcode BodyMarks} asks when a chunk has come. */
export interface BodyClock {
  /** Milliseconds since the start of the flow. */
  now(): number;
  /** How many bytes of the request have come; -1 when it has ended. */
  sent(): number;
}

/** The chunks of a body while they arrive: a few numbers each, whatever their size. */
export class BodyMarks {
  /** Where each ends: so many bytes from the start of the body. */
  readonly ends: number[] = [];
  /** When it was complete: milliseconds after the start of the flow. */
  readonly times: number[] = [];
  /** How many bytes of the request had come by then; -1: it had ended. */
  readonly sent: number[] = [];
  /** The same when the head came. */
  readonly headSent: number;

  readonly #clock: BodyClock;
  #inChunk = false;

  /** @param clock asked for each chunk */
  constructor(clock: BodyClock) {
    this.#clock = clock;
    this.headSent = clock.sent();
  }

  /**
   * A piece has come: a chunk, a part of one, or, where there are no chunks, what was read at once.
   *
   * @param size how many bytes of the body there are with it
   */
  take({ chunk, final }: { readonly chunk: number; readonly final: boolean }, size: number): void {
    if (chunk > 0) this.#inChunk = !final;
    else if (final) this.#inChunk = false;
    if (this.#inChunk) return;
    if (this.ends.length === MAX_CHUNKS) {
      this.ends[MAX_CHUNKS - 1] = size;
      return;
    }
    this.ends.push(size);
    this.times.push(this.#clock.now());
    this.sent.push(this.#clock.sent());
  }
}
