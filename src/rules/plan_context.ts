/**
 * What the rules of one proxy share, while their actions are planned: an action may be used in many proxies at once, and must not mix
 * them up.
 *
 * @module
 */
import type { Addon } from "../hooks/addon.ts";
import { Scenarios } from "./scenarios.ts";

/** What the rules of one proxy share. */
export class PlanContext {
  /** The scenarios and their states. */
  readonly scenarios: Scenarios = new Scenarios();
  /** The addons that are actions and want to know when the proxy has closed. */
  readonly addons: Set<Addon> = new Set();

  /** Plans actions: {@linkcode currentContext} is this one meanwhile. */
  during<T>(plan: () => T): T {
    const before = current;
    current = this;
    try {
      return plan();
    } finally {
      current = before;
    }
  }
}

let current: PlanContext | undefined;

/** The context of the proxy whose actions are being planned; one of its own for an action that belongs to none. */
export function currentContext(): PlanContext {
  return current ?? new PlanContext();
}
