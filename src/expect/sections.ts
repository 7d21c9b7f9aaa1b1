/**
 * The parts of which messages are made: tables of flows, and what came nearest.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { FlowSet } from "../flow/flow_set.ts";
import { closeness } from "../flow/matcher/closeness.ts";
import type { Comparison, CompiledMatcher } from "../flow/matcher/types.ts";
import { nearest, renderComparisons, renderNearMisses } from "../flow/near_miss.ts";
import { describeFlow, summarize } from "../flow/summary.ts";
import { indented, type Section } from "./check.ts";
import { paintFor } from "./colors.ts";
import type { FailureFlow } from "./details.ts";

/** Lines on screens are few: the latest flows are shown. */
const SHOWN = 20;

/** A heading, and a table of some flows under it. */
export function flowTable(heading: string, flows: readonly Flow[], all: FlowSet): Section {
  const places = placesIn(all);
  const numbers = flows.map((flow) => places.get(flow) ?? -1);
  const table = summarize(flows, { limit: SHOWN, width: 98, numbers });
  return {
    text: `${heading}:\n${indented(table)}`,
    flows: flows.slice(-SHOWN).map((flow) => failureFlow(flow, places.get(flow) ?? -1)),
  };
}

/** Everything that was received. */
export function received(flows: FlowSet): Section | undefined {
  if (flows.length === 0 && flows.dropped === 0) return undefined;
  const table = summarize(flows, { limit: SHOWN, dropped: flows.dropped, width: 98 });
  return { text: `received:\n${indented(table)}` };
}

/** The requests that came nearest, as a diff; nothing when there is none. */
export function nearestRequests(matcher: CompiledMatcher, flows: FlowSet): Section | undefined {
  const misses = nearest(matcher, flows);
  if (misses.length === 0) return undefined;
  const paint = paintFor();
  const places = placesIn(flows);
  return {
    text: `nearest (${legend()}):\n${renderNearMisses(misses, { paint, places })}`,
    nearest: misses.map(({ subject, comparisons, closeness }) => ({
      kind: "request",
      title: titleOf(subject),
      flow: subject.id,
      closeness,
      comparisons,
    })),
  };
}

/** What differs in one flow. */
export function differences(flow: Flow, comparisons: readonly Comparison[]): Section {
  return {
    text: `differences (${legend()}):\n${renderComparisons(comparisons, { paint: paintFor() })}`,
    nearest: [{
      kind: "request",
      title: titleOf(flow),
      flow: flow.id,
      closeness: closeness(comparisons),
      comparisons,
    }],
  };
}

/** `- expected + received`, in the colours that these have. */
export function legend(): string {
  const paint = paintFor();
  return `${paint("expected", "- expected")} ${paint("received", "+ received")}`;
}

/** `POST https://shop.test/orders`, without credentials. */
export function titleOf(flow: Flow): string {
  const { method, url } = describeFlow(flow);
  return `${method} ${url.length <= 200 ? url : `${url.slice(0, 199)}…`}`;
}

/** A flow as data. */
export function failureFlow(flow: Flow, index: number): FailureFlow {
  return { id: flow.id, index, ...describeFlow(flow) };
}

/** The place of each flow, as `flows.at()` takes it. */
export function placesIn(flows: FlowSet): Map<Flow, number> {
  return new Map(Array.from(flows, (flow, i) => [flow, i]));
}
