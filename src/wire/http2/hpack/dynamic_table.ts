/**
 * The dynamic table of HPACK (RFC 7541 section 2.3.2).
 *
 * @module
 */

/** What an entry costs besides its octets (RFC 7541 section 4.1). */
const OVERHEAD = 32;

/** The fields that were sent last, as far as they fit. */
export class DynamicTable {
  // The oldest comes first.
  #entries: (readonly [string, string])[] = [];
  #size = 0;
  #limit: number;

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The entry that was added `age` entries before the newest. */
  at(age: number): readonly [name: string, value: string] | undefined {
    return this.#entries[this.#entries.length - 1 - age];
  }

  /** Adds an entry; old ones make room for it. */
  add(name: string, value: string): void {
    this.#entries.push([name, value]);
    this.#size += name.length + value.length + OVERHEAD;
    this.#evict();
  }

  /** Changes the limit. */
  resize(limit: number): void {
    this.#limit = limit;
    this.#evict();
  }

  #evict(): void {
    let gone = 0;
    while (this.#size > this.#limit) {
      const [name, value] = this.#entries[gone++]!;
      this.#size -= name.length + value.length + OVERHEAD;
    }
    if (gone > 0) this.#entries.splice(0, gone);
  }
}
