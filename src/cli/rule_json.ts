/**
 * Rules that are written in JSON: an action that takes something is an object with its name.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { filter } from "../flow/filter/filter.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { didYouMean } from "../flow/suggest.ts";
import type { ProxyOptions } from "../options/proxy_options.ts";
import {
  type Action,
  delay,
  edit,
  fault,
  respond,
  rewrite,
  type RuleLike,
  sequence,
  steps,
  throttle,
} from "../rules/mod.ts";

/** Each action that takes something. What it takes is checked by the action itself. */
const ACTIONS: Readonly<Record<string, (value: never) => Action>> = {
  respond: (value: Parameters<typeof respond>[0]) => respond(value),
  edit: (value: Parameters<typeof edit>[0]) => edit(value),
  rewrite: (value: string) => rewrite(value),
  delay: (value: Parameters<typeof delay>[0]) => delay(value),
  fault: (value: Parameters<typeof fault>[0]) => fault(value),
  throttle: (value: Parameters<typeof throttle>[0]) => throttle(value),
};

/**
 * The options of a proxy from a list of rules, or from an object with options.
 *
 * @throws {OptionsError} names the rule
 */
export function optionsOfJson(value: unknown): ProxyOptions {
  if (Array.isArray(value)) return { rules: rulesOf(value) };
  if (!isObject(value)) {
    throw new OptionsError(`a list of rules, or an object with options, is expected, not ${describeValue(value)}`);
  }
  const { rules, defaultAction, ...others } = value;
  return {
    ...others as ProxyOptions,
    ...(rules === undefined ? {} : { rules: rulesOf(rules) }),
    ...(defaultAction === undefined ? {} : { defaultAction: actionOf(defaultAction, "defaultAction") }),
  };
}

function rulesOf(value: unknown): RuleLike[] {
  if (!Array.isArray(value)) {
    throw new OptionsError(`rules is ${describeValue(value)}: a list of [matcher, action] is expected`);
  }
  return value.map((rule: unknown, i) => {
    if (!Array.isArray(rule) || rule.length !== 2) {
      throw new OptionsError(`rules[${i}] is ${describeValue(rule)}: [matcher, action] is expected`);
    }
    return [matcherOf(rule[0]), actionOf(rule[1], `rules[${i}]`)];
  });
}

/** `{ "filter": "~m POST" }` is an expression of the filter language; everything else is what it is in code, too. */
function matcherOf(value: unknown): Matcher {
  if (isObject(value) && typeof value.filter === "string" && Object.keys(value).length === 1) {
    return filter(value.filter);
  }
  return value as Matcher;
}

function actionOf(value: unknown, where: string): Action {
  if (typeof value === "string") return value as Action;
  if (Array.isArray(value)) return sequence(...actionsOf(value, `${where}[1]`));
  if (isObject(value) && Array.isArray(value.steps) && Object.keys(value).length === 1) {
    return steps(...actionsOf(value.steps, `${where}.steps`));
  }
  const names = [...Object.keys(ACTIONS), "steps"];
  const [name = "", ...more] = isObject(value) ? Object.keys(value) : [];
  const make = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (make === undefined || more.length > 0) {
    throw new OptionsError(
      `the action of ${where} is ${describeValue(value)}: "forward", "drop", "ask", or an object with one of ${
        names.join(", ")
      } is ` +
        `expected${name === "" ? "" : didYouMean(name, names)}`,
    );
  }
  try {
    return make((value as Record<string, unknown>)[name] as never);
  } catch (error) {
    if (error instanceof OptionsError) throw new OptionsError(`${where}: ${error.message}`);
    throw error;
  }
}

function actionsOf(values: readonly unknown[], where: string): Action[] {
  return values.map((value, i) => actionOf(value, `${where}[${i}]`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
