/**
 * The parts of which messages are made: tables of flows, and what came nearest.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { FlowSet } from "../flow/flow_set.ts";
import { closeness } from "../flow/matcher/closeness.ts";
import type { Comparison, CompiledMatcher } from "../flow/matcher/types.ts";
import { nearest, type NearMiss, renderComparisons, renderNearMisses } from "../flow/near_miss.ts";
import { describeFlow, summarize } from "../flow/summary.ts";
import { indented, type Section } from "./check.ts";
import type { Cleaner } from "./cleaner.ts";
import { paintFor } from "./colors.ts";
import type { FailureFlow, FailureNearest } from "./details.ts";

/** Lines on screens are few: the latest flows are shown. */
const SHOWN = 20;

/** A heading, and a table of some flows under it. */
export function flowTable(heading: string, flows: readonly Flow[], all: FlowSet, cleaner: Cleaner): Section {
  const places = placesIn(all);
  const numbers = flows.map((flow) => places.get(flow) ?? -1);
  const table = summarize(flows, { limit: SHOWN, width: 98, numbers, clean: (text) => cleaner.text(text) });
  return {
    text: `${heading}:\n${indented(table)}`,
    flows: flows.slice(-SHOWN).map((flow) => failureFlow(flow, places.get(flow) ?? -1, cleaner)),
  };
}

/** Everything that was received; when that is nothing, what may be the reason. */
export function received(flows: FlowSet, cleaner: Cleaner): Section {
  if (flows.length === 0 && flows.dropped === 0) return { text: NOTHING };
  const clean = (text: string) => cleaner.text(text);
  const table = summarize(flows, { limit: SHOWN, dropped: flows.dropped, width: 98, clean });
  return { text: `received:\n${indented(table)}` };
}

const NOTHING =
  "Nothing came through the proxy. Is the client pointed at it (proxy.fetch, proxy.env(), proxy.install(),\n" +
  "proxy.browser()), and was it waited for (await, or the option within)?";

/** What is still on its way may be what is missing. */
export function underWay(flows: FlowSet): Section | undefined {
  const count = Array.from(flows).filter(({ done }) => !done).length;
  if (count === 0) return undefined;
  return {
    text: `${
      count === 1 ? "1 request is" : `${count} requests are`
    } still under way: with { within: 1000 } the assertion waits`,
  };
}

/** The requests that came nearest, as a diff; nothing when there is none that has anything in common with what is wanted. */
export function nearestRequests(matcher: CompiledMatcher, flows: FlowSet, cleaner: Cleaner): Section | undefined {
  const misses = nearest(matcher, flows)
    .filter((miss) => miss.closeness > 0 || flows.length === 1)
    .map((miss) => cleaned(miss, cleaner));
  if (misses.length === 0) return undefined;
  const places = placesIn(flows);
  return {
    text: `nearest (${legend()}):\n${
      renderNearMisses(misses, { paint: paintFor(), places, clean: (title) => cleaner.text(title) })
    }`,
    nearest: misses.map(({ subject, comparisons, closeness }) => ({
      kind: "request",
      title: titleOf(subject, cleaner),
      flow: subject.id,
      closeness,
      comparisons,
    })),
  };
}

/** What differs in one flow. */
export function differences(flow: Flow, comparisons: readonly Comparison[], cleaner: Cleaner): Section {
  const clean = comparisons.map((one) => cleaner.comparison(one));
  return {
    text: `differences (${legend()}):\n${renderComparisons(clean, { paint: paintFor() })}`,
    nearest: [{
      kind: "request",
      title: titleOf(flow, cleaner),
      flow: flow.id,
      closeness: closeness(comparisons),
      comparisons: clean,
    }],
  };
}

/** `matching POST /orders`; what is long has a line of its own. */
export function matching({ description }: { readonly description: string }, cleaner: Cleaner): string {
  const text = cleaner.text(description);
  return text.length <= 70 ? `matching ${text}` : `matching\n  ${text}`;
}

/** A near miss without secrets. */
export function cleaned<T>({ subject, comparisons, closeness }: NearMiss<T>, cleaner: Cleaner): NearMiss<T> {
  return { subject, comparisons: comparisons.map((one) => cleaner.comparison(one)), closeness };
}

/** `- expected + received`, in the colours that these have. */
export function legend(): string {
  const paint = paintFor();
  return `${paint("expected", "- expected")} ${paint("received", "+ received")}`;
}

/** `POST https://shop.test/orders`, without credentials. */
export function titleOf(flow: Flow, cleaner: Cleaner): string {
  const { method, url } = describeFlow(flow);
  return cleaner.text(`${method} ${url.length <= 200 ? url : `${url.slice(0, 199)}…`}`);
}

/** A flow as data. */
export function failureFlow(flow: Flow, index: number, cleaner: Cleaner): FailureFlow {
  const { method, url, status, source } = describeFlow(flow);
  return { id: flow.id, index, method, url: cleaner.text(url), status, source };
}

/** The place of each flow, as `flows.at()` takes it. */
export function placesIn(flows: FlowSet): Map<Flow, number> {
  return new Map(Array.from(flows, (flow, i) => [flow, i]));
}

/** What differs in the nearest, as two objects that a test runner can compare; `undefined` when nothing came near. */
export function valuesOf(nearest: readonly FailureNearest[]): { actual: unknown; expected: unknown } | undefined {
  const differing = nearest[0]?.comparisons.filter(({ matches }) => !matches) ?? [];
  if (differing.length === 0) return undefined;
  return {
    actual: Object.fromEntries(differing.map(({ field, actual }) => [field, actual ?? "absent"])),
    expected: Object.fromEntries(differing.map(({ field, expected }) => [field, expected])),
  };
}
