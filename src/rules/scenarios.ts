/**
 * Scenarios: states that have names, on which rules depend and which rules change.
 *
 * @module
 */
import { FlowtapeError, OptionsError } from "../flow/error.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import { didYouMean } from "../flow/suggest.ts";

/** The state in which every scenario begins. */
export const STARTED = "started";

/** One scenario of one proxy. */
export class ScenarioState {
  /** Its name. */
  readonly name: string;

  readonly #states = new Set<string>([STARTED]);
  #state = STARTED;

  /** @ignore Made by the rules that name it. */
  constructor(name: string) {
    this.name = name;
  }

  /**
   * The state that it is in. Setting it is a step of the test's own.
   *
   * @throws {OptionsError} no rule names such a state
   */
  get state(): string {
    return this.#state;
  }

  set state(state: string) {
    if (!this.#states.has(state)) {
      throw new OptionsError(
        `scenario ${JSON.stringify(this.name)} has no state ${describeValue(state)}${
          didYouMean(state, this.#states)
        } ` +
          `(its states are ${this.states.map((one) => JSON.stringify(one)).join(", ")})`,
      );
    }
    this.#state = state;
  }

  /** Every state that a rule names, and the first one, `"started"`. */
  get states(): string[] {
    return [...this.#states];
  }

  /** Back to `"started"`. */
  reset(): void {
    this.#state = STARTED;
  }

  /** @ignore A rule names these states. */
  know(states: Iterable<string>): void {
    for (const state of states) this.#states.add(state);
  }
}

/** The scenarios of one proxy, by name. */
export class Scenarios implements Iterable<ScenarioState> {
  readonly #all = new Map<string, ScenarioState>();

  /**
   * The scenario of a name.
   *
   * @throws {FlowtapeError} `NO_SCENARIO`: no rule of this proxy names it
   */
  get(name: string): ScenarioState {
    const found = this.#all.get(name);
    if (found !== undefined) return found;
    const known = this.#all.size === 0
      ? "none has one"
      : `there are ${[...this.#all.keys()].map((one) => JSON.stringify(one)).join(", ")}`;
    throw new FlowtapeError(
      "NO_SCENARIO",
      `no rule of this proxy has a scenario ${JSON.stringify(name)}${didYouMean(name, this.#all.keys())} (${known})`,
    );
  }

  /** @ignore The same; it is made when it is not there. */
  ensure(name: string): ScenarioState {
    let scenario = this.#all.get(name);
    if (scenario === undefined) this.#all.set(name, scenario = new ScenarioState(name));
    return scenario;
  }

  /** All back to `"started"`. */
  reset(): void {
    for (const scenario of this.#all.values()) scenario.reset();
  }

  /** Every scenario that a rule has named. */
  [Symbol.iterator](): Iterator<ScenarioState> {
    return this.#all.values();
  }

  /** The states by name. */
  toJSON(): Record<string, string> {
    return Object.fromEntries([...this].map(({ name, state }) => [name, state]));
  }
}
