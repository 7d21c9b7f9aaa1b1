/**
 * Says what a server has said, line by line, when it may and not faster than it should.
 *
 * @module
 */
import type { Pace } from "./pace.ts";

/** Something that a server has said. */
export interface Line {
  readonly data: Uint8Array;
  /** A text message of a WebSocket. */
  readonly text: boolean;
  /** So many things of the client came before it. */
  readonly after: number;
  /** Milliseconds since whatever was said before it. */
  readonly gap: number;
}

/** Who is told. */
export interface SpeakerEvents {
  say(line: Line): void;
  /** Everything has been said that may be. */
  idle(): void;
}

/** Says lines in order. */
export class Speaker {
  readonly #pace: Pace;
  readonly #on: SpeakerEvents;
  #lines: readonly Line[] = [];
  #said = 0;
  #heard = 0;
  #last = performance.now();
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(pace: Pace, on: SpeakerEvents) {
    this.#pace = pace;
    this.#on = on;
  }

  /** How many lines were said. */
  get said(): number {
    return this.#said;
  }

  /** The client has said so much of what these lines answer; as many of them as have been said are the same as before. */
  go(lines: readonly Line[], heard: number): void {
    if (heard > this.#heard && this.#cancel === undefined) this.#last = performance.now();
    this.#lines = lines;
    this.#heard = heard;
    this.#next();
  }

  /** Says no more. */
  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  // One after the other, without a deeper stack for each.
  #next(): void {
    while (!this.#closed && this.#cancel === undefined) {
      const line = this.#lines[this.#said];
      if (line === undefined || line.after > this.#heard) return this.#on.idle();
      const wait = this.#last + this.#pace.of(line.gap) - performance.now();
      if (wait > 0 && this.#pace.of(line.gap) > 0) {
        this.#cancel = this.#pace.after(wait, () => {
          this.#cancel = undefined;
          // Another conversation may be played by now, in which the same was said so far.
          const due = this.#lines[this.#said];
          if (due !== undefined && due.after <= this.#heard) this.#say(due);
          this.#next();
        });
        return;
      }
      this.#say(line);
    }
  }

  #say(line: Line): void {
    this.#said++;
    this.#last = performance.now();
    this.#on.say(line);
  }
}
