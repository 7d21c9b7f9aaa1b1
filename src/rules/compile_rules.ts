/**
 * From what users write as rules to rules; what is none is refused with its place.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { comparisonsOf } from "../flow/matcher/compare.ts";
import { compile } from "../flow/matcher/compile.ts";
import { exactOf } from "../flow/matcher/exact.ts";
import { describeValue, isRegExp } from "../flow/matcher/describe.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import type { TcpFlow } from "../flow/tcp_flow.ts";
import type { Action } from "./action.ts";
import { times } from "./actions/times.ts";
import { isAddon } from "./addon_plan.ts";
import { checkSettings, DefinedRule, type RuleSettings } from "./defined_rule.ts";
import { isMswHandler, type MswHandlerLike, mswRules } from "./msw/mod.ts";
import { planOf } from "./plan.ts";
import type { Rule } from "./rule.ts";

/** A rule: a matcher and an action (with settings, or made by `rule()`), an MSW handler, or an array of MSW handlers. */
export type RuleLike =
  | readonly [Matcher, Action]
  | readonly [Matcher, Action, RuleSettings]
  | DefinedRule
  | MswHandlerLike
  | readonly MswHandlerLike[];

/**
 * Checks rules and makes them ready, with counters that nobody else has.
 *
 * @param place the place of one of them, for errors: `rules[2]`
 * @throws {OptionsError} names the place, what is there and what was expected
 */
export function compileRules(
  rules: readonly RuleLike[],
  place: (index: number) => string = (index) => `rules[${index}]`,
): Rule[] {
  const given: unknown = rules;
  if (!Array.isArray(given)) throw new OptionsError(`rules is an array of rules, not ${describeValue(given)}`);
  return rules.flatMap((rule, i) => compileRule(rule, place(i)));
}

function compileRule(rule: unknown, place: string): Rule | Rule[] {
  if (isMswHandler(rule)) return mswRules(rule, place);
  if (rule instanceof DefinedRule) return definedRule(rule, place);
  if (!Array.isArray(rule)) throw new OptionsError(`${place} is ${complaint(rule)}`);
  if (rule.length > 0 && rule.every(isMswHandler)) return rule.flatMap((it, i) => mswRules(it, `${place}[${i}]`));
  if (rule.length !== 2 && rule.length !== 3) throw new OptionsError(`${place} is ${describeValue(rule)}; ${EXPECTED}`);
  if (isMswHandler(rule[0])) {
    throw new OptionsError(`${place} pairs an MSW handler with an action: a handler is a rule by itself`);
  }
  if (rule.every((one) => Array.isArray(one))) {
    throw new OptionsError(
      `${place} is an array of rules: give them one by one, use(...rules) or rules: [...rules, other]`,
    );
  }
  const [matcher, action, settings] = rule as [Matcher, Action, unknown];
  if (rule.length === 2) return tupleRule([matcher, action], place);
  // Three things without settings among them are most often a method, a path and an action.
  if (typeof settings !== "object") {
    const oneString = typeof matcher === "string" && /^[A-Z|]+$/.test(matcher) && typeof action === "string"
      ? `; a method and a URL are one string: "${matcher} ${action}"`
      : "";
    throw new OptionsError(`${place} is ${describeValue(rule)}; ${EXPECTED}${oneString}`);
  }
  checkSettings(settings, `the settings of ${place}`);
  return definedRule(new DefinedRule(matcher, action, settings), place);
}

function definedRule(defined: DefinedRule, place: string): Rule {
  const { matcher, action, calls, settings: { name, priority, times: n } } = defined;
  const rule = tupleRule([matcher, n === undefined ? action : times(n, action)], place);
  return {
    ...rule,
    ...(name === undefined ? {} : { description: name }),
    priority,
    calls,
    isEnabled: () => defined.enabled,
    restore: () => defined.reset(),
  };
}

function tupleRule([matcher, action]: [Matcher, Action], place: string): Rule {
  const compiled = compile(matcher, `the matcher of ${place}`);
  const plan = planOf(action, place, { tunnels: true });
  const parts = exactOf(compiled);
  return {
    place,
    description: compiled.description,
    key: compiled.key,
    ...(parts === undefined ? {} : { exact: { parts, plan } }),
    attempt: (flow) => compiled.matches(flow) ? plan.take() : undefined,
    compare: (flow) => comparisonsOf(compiled, flow),
    ...(compiled.tcp && { attemptTcp: (flow: TcpFlow) => compiled.matches(flow) ? plan.take() : undefined }),
    ...(plan.takeConnect && {
      attemptConnect: (flow: HttpFlow) => compiled.matches(flow) ? plan.takeConnect!() : undefined,
    }),
  };
}

const EXPECTED =
  "a rule is [matcher, action], [matcher, action, { name, priority, enabled, times }], rule(), an MSW handler, or an array of MSW handlers";

function complaint(rule: unknown): string {
  if (isAddon(rule)) return `an addon: give it to \`addons\` or to proxy.use(); ${EXPECTED}`;
  const forgotten = typeof rule === "string" || typeof rule === "function" || isPattern(rule);
  return `${describeValue(rule)}; ${EXPECTED}${forgotten ? ": are the brackets of the pair missing?" : ""}`;
}

function isPattern(value: unknown): boolean {
  return typeof value === "object" && value !== null && isRegExp(value);
}
