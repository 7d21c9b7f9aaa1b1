/**
 * Matchers of which an index of rules can say everything by itself.
 *
 * @module
 */
import type { CompiledMatcher } from "./types.ts";

/** Parts of a request that are wanted exactly, so that one comparison each is enough. */
export interface Exact {
  /** Upper case. */
  method?: string;
  scheme?: string;
  /** Lower case. */
  hostname?: string;
  port?: number;
  path?: string;
}

// By identity: what somebody makes of such a matcher, with a `matches` of its own, is to be asked again.
const exactMatchers = new WeakMap<CompiledMatcher, Exact>();

/** Notes that a matcher wants these parts and nothing else. */
export function noteExact(matcher: CompiledMatcher, exact: Exact): CompiledMatcher {
  exactMatchers.set(matcher, exact);
  return matcher;
}

/** The parts that are all a matcher wants; `undefined` when it has to be asked. */
export function exactOf(matcher: CompiledMatcher): Readonly<Exact> | undefined {
  return exactMatchers.get(matcher);
}
