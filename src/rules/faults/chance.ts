/**
 * Where the actions that leave something to chance get it from.
 *
 * @module
 */
import { seededRandom } from "../../flow/random.ts";

/** Draws for the flows of one rule. With a seed, the n-th flow always meets the same. */
export class Chance {
  readonly #seeded: (() => number) | undefined;

  /** @param seed none: every run is another one */
  constructor(seed?: number) {
    if (seed !== undefined) this.#seeded = seededRandom(seed);
  }

  /**
   * Draws for the next flow. Its draws are its own: how many it needs, and when, has no influence on the flows behind it.
   *
   * @param probability of `hit`
   */
  next(probability: number): { readonly hit: boolean; readonly random: () => number } {
    const draw = this.#seeded ?? (() => Math.random());
    const hit = probability >= 1 || draw() < probability;
    return { hit, random: this.#seeded === undefined ? draw : seededRandom(Math.floor(draw() * 2 ** 32)) };
  }
}
