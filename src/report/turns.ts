/**
 * Long work in turns: a test that makes a report goes on serving its proxy meanwhile.
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";

/** So many milliseconds nobody else comes to their turn. */
const TURN = 8;

/** Lets others come to their turn now and then. */
export class Turns {
  #end = performance.now() + TURN;

  /** To be awaited between two steps. */
  next(): Promise<void> | undefined {
    if (performance.now() < this.#end) return undefined;
    return setImmediate().then(() => {
      this.#end = performance.now() + TURN;
    });
  }
}
