/**
 * The rules of one proxy as they change in the course of a test.
 *
 * @module
 */
import { FlowSet } from "../flow/flow_set.ts";
import type { Addon } from "../hooks/addon.ts";
import type { Action, Plan } from "./action.ts";
import { compileRules, type RuleLike } from "./compile_rules.ts";
import { switchCount } from "./defined_rule.ts";
import { PlanContext } from "./plan_context.ts";
import { planOf } from "./plan.ts";
import type { Rule } from "./rule.ts";
import { RuleList } from "./rule_list.ts";
import type { Scenarios } from "./scenarios.ts";

/** Rules that were added later: what they met, and how to take them away. */
export interface Handle extends Disposable {
  /** The flows that these rules took, in the order in which they came. */
  readonly calls: FlowSet;
  /** Set it to `false` to let flows pass as if the rules were not there. */
  enabled: boolean;
  /** Takes the rules away. Flows that are under way still see them. */
  dispose(): void;
}

/** What {@linkcode RuleBook} and the engine take. */
export interface RuleOptions {
  /** The rules to begin with; none by default. */
  rules?: readonly RuleLike[];
  /** What is done to a flow that no rule matches; `"forward"` by default. */
  defaultAction?: Action;
  /** How many flows `handle.calls` keeps. */
  maxFlows?: number;
}

/** Rules that came together, and go together. */
interface Group {
  readonly rules: readonly Rule[];
  enabled: boolean;
}

/** Keeps the rules, and gives the list of the moment to each flow. */
export class RuleBook {
  #initial: readonly RuleLike[];
  #given: readonly RuleLike[];
  readonly #maxFlows: number | undefined;
  #rules: readonly Rule[];
  // The newest group first: a test overrides what its suite has set up.
  #groups: readonly Group[] = [];
  #defaultAction: Action;
  #fallback: Plan;
  // Made when the next flow needs it: many changes in a row cost one.
  #list: RuleList | undefined;
  #switches = switchCount();
  readonly #context = new PlanContext();

  /** @throws {OptionsError} for a rule or an action of the wrong form */
  constructor({ rules = [], defaultAction = "forward", maxFlows }: RuleOptions) {
    this.#rules = this.#context.during(() => compileRules(rules));
    this.#initial = [...rules];
    this.#given = rules;
    this.#fallback = this.#context.during(() => fallbackOf(defaultAction));
    this.#defaultAction = defaultAction;
    this.#maxFlows = maxFlows;
  }

  /** The list as it is now. It never changes. */
  get list(): RuleList {
    const switches = switchCount();
    if (this.#list === undefined || this.#switches !== switches) {
      this.#switches = switches;
      const groups = this.#groups.filter((group) => group.enabled).flatMap((group) => group.rules);
      const enabled = [...groups, ...this.#rules].filter((rule) => rule.isEnabled?.() ?? true);
      this.#list = new RuleList(enabled, this.#fallback);
    }
    return this.#list;
  }

  /** The scenarios of these rules. */
  get scenarios(): Scenarios {
    return this.#context.scenarios;
  }

  /** The addons among the actions that want to know when the proxy has closed. */
  get addons(): Iterable<Addon> {
    return this.#context.addons;
  }

  /** Adds rules in front. */
  use(rules: readonly RuleLike[]): Handle {
    const calls = new FlowSet([], { max: this.#maxFlows });
    const compiled = this.#context.during(() => compileRules(rules, (i) => `rules[${i}] of use()`))
      .map((rule) => ({ ...rule, calls: rule.calls === undefined ? calls : both(rule.calls, calls) }));
    const group: Group = { rules: compiled, enabled: true };
    this.#groups = [group, ...this.#groups];
    this.#changed();
    const dispose = () => {
      this.#groups = this.#groups.filter((other) => other !== group);
      this.#changed();
    };
    const enable = (enabled: boolean) => {
      group.enabled = enabled;
      this.#changed();
    };
    return {
      calls,
      get enabled() {
        return group.enabled;
      },
      set enabled(value) {
        enable(value);
      },
      dispose,
      [Symbol.dispose]: dispose,
    };
  }

  /** Back to the rules of the beginning, which count from zero again. */
  reset(): void {
    for (const rule of this.#rules) rule.restore?.();
    this.#context.scenarios.reset();
    this.#rules = this.#context.during(() => compileRules(this.#initial));
    this.#fallback = this.#context.during(() => fallbackOf(this.#defaultAction));
    this.#groups = [];
    this.#changed();
  }

  /**
   * Prepares others to begin with, and another default action. What is returned makes them hold; what was added stays in front.
   *
   * @throws {OptionsError} for a rule or an action of the wrong form
   */
  prepare({ rules = [], defaultAction = "forward" }: Pick<RuleOptions, "rules" | "defaultAction">): () => void {
    const compiled = rules === this.#given ? undefined : this.#context.during(() => compileRules(rules));
    const fallback = this.#context.during(() => fallbackOf(defaultAction));
    return () => {
      if (compiled !== undefined) {
        for (const rule of this.#rules) rule.restore?.();
        this.#rules = compiled;
        this.#given = rules;
        this.#initial = [...rules];
      }
      this.#fallback = fallback;
      this.#defaultAction = defaultAction;
      this.#changed();
    };
  }

  /** Says what is done to a flow that no rule matches. */
  setDefault(action: Action): void {
    this.#fallback = this.#context.during(() => fallbackOf(action));
    this.#defaultAction = action;
    this.#changed();
  }

  #changed(): void {
    this.#list = undefined;
  }
}

type Calls = NonNullable<Rule["calls"]>;

function both(one: Calls, other: Calls): Calls {
  return {
    append(flow) {
      one.append(flow);
      other.append(flow);
    },
  };
}

function fallbackOf(action: Action): Plan {
  return planOf(action, "defaultAction", { tunnels: true });
}
