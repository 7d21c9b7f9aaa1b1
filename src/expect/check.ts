/**
 * The outcome of a check, and the pieces that its message is made of.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { FlowSet } from "../flow/flow_set.ts";
import type { CompiledMatcher } from "../flow/matcher/types.ts";
import { nearest, renderNearMisses } from "../flow/near_miss.ts";
import { summarize } from "../flow/summary.ts";
import { paintFor } from "./colors.ts";

/** The outcome of a check, in the form that `expect.extend` of every runner takes. */
export interface Check {
  /** Whether it holds. */
  readonly pass: boolean;
  /** Why it does not hold; when it does, why its opposite does not. */
  readonly message: () => string;
  /** What was found. */
  readonly actual: unknown;
  /** What was wanted. */
  readonly expected: unknown;
}

/** Lines on screens are few: the latest flows are shown. */
const SHOWN = 20;

/** A heading, and a table of flows under it. */
export function section(heading: string, flows: Iterable<Flow>, dropped = 0): string {
  const table = summarize(flows, { limit: SHOWN, dropped, width: 98 });
  return `${heading}:\n${indented(table)}`;
}

/** Everything that was received. */
export function received(flows: FlowSet): string {
  return flows.length === 0 && flows.dropped === 0 ? "" : section("received", flows, flows.dropped);
}

/** The requests that came nearest, as a diff; nothing when there is none. */
export function nearMisses(matcher: CompiledMatcher, flows: Iterable<Flow>): string {
  const misses = nearest(matcher, flows);
  if (misses.length === 0) return "";
  const paint = paintFor();
  const legend = `${paint("expected", "- expected")} ${paint("received", "+ received")}`;
  return `nearest (${legend}):\n${renderNearMisses(misses, { paint })}`;
}

/** Sections with an empty line between them. */
export function joined(...sections: string[]): string {
  return sections.filter((text) => text !== "").join("\n\n");
}

/** Two spaces in front of every line. */
export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
