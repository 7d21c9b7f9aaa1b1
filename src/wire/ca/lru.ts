/**
 * A map that forgets what was not used for the longest time.
 *
 * @module
 */

/** A bounded map; reading an entry counts as using it. */
export class LruMap<K, V> {
  readonly #entries: Map<K, V> = new Map();
  readonly #capacity: number;

  /** @param capacity how many entries it holds at most */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many entries it holds. */
  get size(): number {
    return this.#entries.size;
  }

  /** The value of a key, which thereby becomes the most recently used one. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    // A Map iterates in the order of insertion, so the first entry is always the one to forget.
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  /** Sets a value, and forgets the least recently used one when there are too many. */
  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#capacity) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** Forgets one entry. */
  delete(key: K): void {
    this.#entries.delete(key);
  }
}
