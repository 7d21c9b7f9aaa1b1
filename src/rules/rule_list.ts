/**
 * A list of rules that never changes.
 *
 * @module
 */
import type { FlowRequest } from "../flow/request.ts";
import type { Plan } from "./action.ts";
import type { Rule } from "./rule.ts";
import { Chain, hasKey, RuleIndex, Slot } from "./rule_index.ts";

/** The rules as they stand at one moment. A flow keeps the list that its request head met. */
export class RuleList {
  /** The rules, the first one first. */
  readonly rules: readonly Rule[];
  /** What is done to a flow that no rule matches. */
  readonly fallback: Plan;

  readonly #index: RuleIndex;
  readonly #others: Slot | undefined;

  /**
   * @param rules those of a higher priority come first, whatever their place
   * @param fallback what is done to a flow that no rule matches
   */
  constructor(rules: readonly Rule[], fallback: Plan) {
    this.rules = rules.toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0));
    this.fallback = fallback;
    const slots = this.rules.map((rule, i) => new Slot(i, rule));
    const others = new Chain();
    for (const slot of slots) if (!hasKey(slot.rule)) others.add(slot);
    this.#others = others.first;
    this.#index = new RuleIndex(slots.filter((slot) => hasKey(slot.rule)));
  }

  /**
   * The rules that may match a request, in the order of the list.
   *
   * @param from the first place to look at
   */
  candidates(request: FlowRequest, from = 0): Cursor {
    const chains: Slot[] = this.#others === undefined ? [] : [this.#others];
    this.#index.find(request, chains);
    return new Cursor(chains, from);
  }
}

/** Walks through several chains as if they were one. */
export class Cursor {
  readonly #chains: (Slot | undefined)[];
  #from: number;

  /**
   * @param chains the first slots; the list is taken over
   * @param from places below it are left out
   */
  constructor(chains: Slot[], from: number) {
    this.#chains = chains;
    this.#from = from;
  }

  /** The next slot; `undefined` after the last. */
  next(): Slot | undefined {
    let best: Slot | undefined;
    for (let i = 0; i < this.#chains.length; i++) {
      let slot = this.#chains[i];
      while (slot !== undefined && slot.place < this.#from) slot = slot.next;
      this.#chains[i] = slot;
      if (slot !== undefined && (best === undefined || slot.place < best.place)) best = slot;
    }
    if (best !== undefined) this.#from = best.place + 1;
    return best;
  }
}
