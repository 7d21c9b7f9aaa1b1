/**
 * Rules with a name, a priority or a switch.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { FlowSet } from "../flow/flow_set.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import type { Action } from "./action.ts";
import { checkObject } from "./check.ts";

/** What can be said of a rule besides its matcher and its action. */
export interface RuleSettings {
  /** What reports and errors call it, instead of its matcher. */
  name?: string;
  /**
   * Rules of a higher priority are tried first, wherever they stand; those of the same in the order of the list. 0 by default; any
   * number, also a negative one.
   */
  priority?: number;
  /** Whether it is tried at all. `true` by default. */
  enabled?: boolean;
  /** How many flows it takes; after that it matches no more. All by default. */
  times?: number;
}

/** A rule that can be turned off and on. Made by {@linkcode rule}. */
export class DefinedRule {
  /** Which flows. */
  readonly matcher: Matcher;
  /** What is done to them. */
  readonly action: Action;
  /** What else was said. */
  readonly settings: Readonly<RuleSettings>;
  /** The flows that it took, in the order in which they came: the newest 10,000. `proxy.reset()` empties it. */
  readonly calls: FlowSet = new FlowSet([], { max: 10_000 });

  #enabled: boolean;

  /** @ignore Use {@linkcode rule}. */
  constructor(matcher: Matcher, action: Action, settings: RuleSettings) {
    this.matcher = matcher;
    this.action = action;
    this.settings = { ...settings };
    this.#enabled = settings.enabled ?? true;
  }

  /** Whether flows whose head arrives from now on see the rule. */
  get enabled(): boolean {
    return this.#enabled;
  }

  set enabled(value: boolean) {
    if (typeof value !== "boolean") throw new OptionsError(`enabled is true or false, not ${describeValue(value)}`);
    if (this.#enabled !== value) changes++;
    this.#enabled = value;
  }

  /** As it was when it was made: with its switch as it was, and without calls. */
  reset(): void {
    this.enabled = this.settings.enabled ?? true;
    this.calls.clear();
  }
}

let changes = 0;

/** Grows whenever any rule is turned on or off, so that lists of rules know when they are out of date. */
export function switchCount(): number {
  return changes;
}

/**
 * A rule with more to it than a matcher and an action: a name, a priority, a switch, a number of times. It goes where every rule goes;
 * `[matcher, action, settings]` is short for it.
 *
 * @throws {OptionsError} a setting is not accepted; matcher and action are checked where the rule is used
 *
 * @example
 * ```ts
 * import { respond, rule, startProxy } from "flowtape";
 *
 * const outage = rule({ host: "pay.test" }, respond({ status: 503 }), { name: "outage", priority: 10, enabled: false });
 * await using proxy = await startProxy({
 *   rules: [["http://pay.test/*", respond({ json: { ok: true } })], outage],
 * });
 * (await proxy.fetch("http://pay.test/")).status; // 200
 * outage.enabled = true;
 * (await proxy.fetch("http://pay.test/")).status; // 503
 * outage.calls.length; // 1
 * ```
 */
export function rule(matcher: Matcher, action: Action, settings: RuleSettings = {}): DefinedRule {
  checkSettings(settings, "the settings of rule()");
  return new DefinedRule(matcher, action, settings);
}

/**
 * Refuses settings of the wrong form.
 *
 * @param where for errors, such as `the settings of rules[2]`
 */
export function checkSettings(given: unknown, where: string): asserts given is RuleSettings {
  checkObject(given, ["name", "priority", "enabled", "times"], where);
  const { name, priority, enabled, times } = given as Record<keyof RuleSettings, unknown>;
  const refuse = (key: string, value: unknown, accepted: string) => {
    throw new OptionsError(`${key} in ${where} is ${describeValue(value)}: ${accepted} is accepted`);
  };
  if (name !== undefined && (typeof name !== "string" || name === "")) {
    refuse("name", name, "a string that is not empty");
  }
  if (priority !== undefined && !Number.isFinite(priority)) refuse("priority", priority, "a number");
  if (enabled !== undefined && typeof enabled !== "boolean") refuse("enabled", enabled, "true or false");
  if (times !== undefined && (!Number.isInteger(times) || Number(times) < 1)) {
    refuse("times", times, "a whole number from 1");
  }
}
