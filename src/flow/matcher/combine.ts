/**
 * Matchers made of matchers: {@linkcode all}, {@linkcode any}, {@linkcode not}.
 *
 * @module
 */
import type { Flow } from "../flow.ts";
import { BodyIncompleteError } from "../message.ts";
import { closeness } from "./closeness.ts";
import { comparisonsOf } from "./compare.ts";
import { compile } from "./compile.ts";
import type { CompiledMatcher, Matcher, MatchKey } from "./types.ts";

/**
 * Says yes when every matcher does; without any matcher, always.
 *
 * @example
 * ```ts
 * import { all, not } from "flowtape";
 *
 * const ordersOfOthers = all("POST /orders", not({ host: "shop.test" }));
 * ordersOfOthers.description; // 'all(POST /orders, not({ host: "shop.test" }))'
 * ```
 */
export function all(...matchers: Matcher[]): CompiledMatcher {
  const parts = compileAll("all", matchers);
  return {
    description: describe("all", parts),
    tcp: isForTcp(parts),
    matches: (flow) => decide(parts, flow, { unless: false }),
    compare: (flow) => parts.flatMap((part) => comparisonsOf(part, flow)),
    key: parts.reduce<MatchKey | undefined>(
      (key, part) => part.key ? { ...given(part.key), ...given(key) } : key,
      undefined,
    ),
  };
}

/**
 * Says yes when one of the matchers does; without any matcher, never.
 *
 * @example
 * ```ts
 * import { any } from "flowtape";
 *
 * const analytics = any({ host: "*.metrics.test" }, "/beacon", /\.gif$/);
 * analytics.description; // 'any({ host: "*.metrics.test" }, /beacon, /\.gif$/)'
 * ```
 */
export function any(...matchers: Matcher[]): CompiledMatcher {
  const parts = compileAll("any", matchers);
  return {
    description: describe("any", parts),
    tcp: isForTcp(parts),
    matches: (flow) => decide(parts, flow, { unless: true }),
    // What is explained is the one that came nearest.
    compare: (flow) => {
      const candidates = parts.map((part) => comparisonsOf(part, flow));
      const fits = candidates.map(closeness);
      return candidates[fits.indexOf(Math.max(...fits))] ??
        [{ field: "any", expected: "one of no matchers", actual: "none", matches: false }];
    },
    key: commonKey(parts),
  };
}

/**
 * Says yes when the matcher does not.
 *
 * @example
 * ```ts
 * import { not } from "flowtape";
 *
 * const foreign = not({ host: "shop.test" });
 * foreign.description; // 'not({ host: "shop.test" })'
 * ```
 */
export function not(matcher: Matcher): CompiledMatcher {
  const inner = compile(matcher, "the argument of not()");
  const description = `not(${inner.description})`;
  return {
    description,
    tcp: isForTcp([inner]),
    matches: (flow) => !inner.matches(flow),
    compare: (flow) => {
      const matches = !inner.matches(flow);
      const found = comparisonsOf(inner, flow).map(({ field, actual }) => `${field} ${actual ?? "absent"}`).join(", ");
      return [{ field: "not", expected: inner.description, actual: found || "anything", matches }];
    },
  };
}

function compileAll(name: string, matchers: readonly Matcher[]): CompiledMatcher[] {
  return matchers.map((matcher, i) => compile(matcher, `argument ${i + 1} of ${name}()`));
}

function isForTcp(parts: readonly CompiledMatcher[]): boolean {
  return parts.some((part) => part.tcp === true);
}

function describe(name: string, parts: readonly CompiledMatcher[]): string {
  return `${name}(${parts.map((part) => part.description).join(", ")})`;
}

/**
 * Asks the parts until one answers `unless`. A part that must wait for the body does not keep the others from deciding:
 * a request for another host need not be read in full to be turned down.
 */
function decide(parts: readonly CompiledMatcher[], flow: Flow, { unless }: { unless: boolean }): boolean {
  let waiting: BodyIncompleteError | undefined;
  for (const part of parts) {
    try {
      if (part.matches(flow) === unless) return unless;
    } catch (error) {
      if (!(error instanceof BodyIncompleteError)) throw error;
      waiting = error;
    }
  }
  if (waiting) throw waiting;
  return !unless;
}

function given(key: MatchKey | undefined): MatchKey {
  return Object.fromEntries(Object.entries(key ?? {}).filter(([, value]) => value !== undefined));
}

/** Only what every alternative wants in the same way. */
function commonKey(parts: readonly CompiledMatcher[]): MatchKey | undefined {
  const [first, ...rest] = parts.map((part) => part.key);
  if (first === undefined) return undefined;
  const common = Object.entries(given(first)).filter(([part, value]) =>
    rest.every((key) => key?.[part as keyof MatchKey] === value)
  );
  return common.length === 0 ? undefined : Object.fromEntries(common);
}
