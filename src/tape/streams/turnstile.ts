/**
 * What happens one after the other, although some of it has to wait.
 *
 * @module
 */

/** Runs actions in the order in which they come: at once, as long as none has to wait. */
export class Turnstile {
  readonly #failed: (error: unknown) => void;
  readonly #next: (() => void | Promise<void>)[] = [];
  #busy = false;

  /** @param failed is told what an action throws; the others go on */
  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Runs an action when all before it are over. */
  pass(action: () => void | Promise<void>): void {
    this.#next.push(action);
    if (!this.#busy) this.#go();
  }

  #go(): void {
    this.#busy = true;
    for (let action = this.#next.shift(); action !== undefined; action = this.#next.shift()) {
      try {
        const waits = action();
        if (waits === undefined) continue;
        waits.catch(this.#failed).finally(() => this.#go());
        return;
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#busy = false;
  }
}
