/**
 * A list that forgets its oldest items.
 *
 * @module
 */

/** Items in order of arrival; beyond a limit the oldest go, at a cost that does not depend on the length. */
export class BoundedList<T> implements Iterable<T> {
  readonly #max: number;
  #items: (T | undefined)[] = [];
  /** Where the oldest item stands: what is before it is gone. */
  #start = 0;
  #dropped = 0;

  /** @param max how many items are kept */
  constructor(max: number = Infinity) {
    this.#max = max;
  }

  /** How many items are there. */
  get length(): number {
    return this.#items.length - this.#start;
  }

  /** How many items went because of the limit. */
  get dropped(): number {
    return this.#dropped;
  }

  /** An item by its place; a negative one counts from the end. */
  at(index: number): T | undefined {
    const place = Math.trunc(index) || 0;
    const at = place < 0 ? this.#items.length + place : this.#start + place;
    // What is before the start is undefined already.
    return this.#items[at];
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.push(item);
    if (this.length <= this.#max) return;
    this.#items[this.#start] = undefined;
    this.#start++;
    this.#dropped++;
    // Moving the rest down once in a while is what makes a drop cheap.
    if (this.#start > 32 && this.#start * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Forgets everything, also how many went. */
  clear(): void {
    this.#items = [];
    this.#start = 0;
    this.#dropped = 0;
  }

  /** The items as an array of its own. */
  toArray(): T[] {
    return this.#items.slice(this.#start) as T[];
  }

  /** Also gives items that are added while it runs, and leaves out those that go before it is there. */
  *[Symbol.iterator](): Iterator<T> {
    let next = this.#dropped;
    while ((next = Math.max(next, this.#dropped)) < this.#dropped + this.length) {
      yield this.#items[this.#start + next - this.#dropped] as T;
      next++;
    }
  }
}
