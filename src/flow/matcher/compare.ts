/**
 * Comparisons of any matcher, also of one that makes none itself.
 *
 * @module
 */
import type { Flow } from "../flow.ts";
import { BodyIncompleteError } from "../message.ts";
import { redactUrl } from "../sensitive.ts";
import { shorten } from "./describe.ts";
import type { Comparison, CompiledMatcher } from "./types.ts";

/** Field by field, why a matcher says yes or no. Never waits for a body: what has not arrived does not match. */
export function comparisonsOf(matcher: CompiledMatcher, flow: Flow): Comparison[] {
  try {
    if (matcher.compare) return matcher.compare(flow);
    return [whole(matcher, flow, matcher.matches(flow))];
  } catch (error) {
    if (error instanceof BodyIncompleteError) return [whole(matcher, flow, false)];
    throw error;
  }
}

function whole(matcher: CompiledMatcher, flow: Flow, matches: boolean): Comparison {
  const actual = flow.type === "http"
    ? `${flow.request.method} ${shorten(redactUrl(flow.request.url), 300)}`
    : `a ${flow.type} conversation`;
  return { field: "matcher", expected: matcher.description, actual, matches };
}
