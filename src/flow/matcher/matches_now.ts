/**
 * Matching flows that may still be under way.
 *
 * @module
 */
import type { Flow } from "../flow.ts";
import { BodyIncompleteError } from "../message.ts";
import type { CompiledMatcher } from "./types.ts";

/** Whether a matcher says yes now: one that must see a body that has not arrived does not, yet. */
export function matchesNow(matcher: CompiledMatcher, flow: Flow): boolean {
  try {
    return matcher.matches(flow);
  } catch (error) {
    if (error instanceof BodyIncompleteError) return false;
    throw error;
  }
}
