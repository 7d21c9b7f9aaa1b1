/**
 * A query that tells when it was changed.
 *
 * @module
 */

/** `URLSearchParams` that hands the new query to somebody whenever it changes. */
export class LiveSearchParams extends URLSearchParams {
  #changed: ((query: string) => void) | undefined;

  /** @param query the query without its question mark
   * @param changed receives the query after each change */
  constructor(query: string, changed: (query: string) => void) {
    super(query);
    this.#changed = changed;
  }

  override append(name: string, value: string): void {
    super.append(name, value);
    this.#changed?.(this.toString());
  }

  override delete(name: string, value?: string): void {
    if (value === undefined) super.delete(name);
    else super.delete(name, value);
    this.#changed?.(this.toString());
  }

  override set(name: string, value: string): void {
    super.set(name, value);
    this.#changed?.(this.toString());
  }

  override sort(): void {
    super.sort();
    this.#changed?.(this.toString());
  }
}
