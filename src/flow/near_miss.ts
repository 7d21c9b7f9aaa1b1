/**
 * What almost matched, and why it did not.
 *
 * @module
 */
import type { Flow } from "./flow.ts";
import { closeness } from "./matcher/closeness.ts";
import { comparisonsOf } from "./matcher/compare.ts";
import type { Comparison, CompiledMatcher } from "./matcher/types.ts";
import { shorten } from "./matcher/describe.ts";
import { type Paint, renderDifference } from "./render_difference.ts";
import { describeFlow } from "./summary.ts";

export type { Paint };

/** Something that was compared, and how near it came. */
export interface NearMiss<T = Flow> {
  /** What was compared. */
  readonly subject: T;
  /** Part by part. */
  readonly comparisons: readonly Comparison[];
  /** From 0, nothing fits, to 1. */
  readonly closeness: number;
}

/** Far less near than the best is not near at all. */
const REACH = 0.3;

/** The flows that came nearest to a matcher without matching, the nearest first. */
export function nearest(matcher: CompiledMatcher, flows: Iterable<Flow>, count = 3): NearMiss[] {
  return rank(flows, (flow) => comparisonsOf(matcher, flow), count);
}

/**
 * What came nearest without fitting, the nearest first: for anything that can be compared, such as the entries of a
 * tape with `compareRequests`.
 */
export function rank<T>(subjects: Iterable<T>, compare: (subject: T) => Comparison[], count = 3): NearMiss<T>[] {
  const ranked = Array.from(subjects, (subject) => {
    const comparisons = compare(subject);
    return { subject, comparisons, closeness: closeness(comparisons) };
  })
    .filter(({ comparisons }) => comparisons.some((comparison) => !comparison.matches))
    .sort((a, b) => b.closeness - a.closeness);
  const best = ranked[0]?.closeness ?? 0;
  return ranked.slice(0, count).filter((one) => one.closeness >= best - REACH);
}

/** How comparisons are shown. */
export interface RenderOptions {
  /** Colours; none by default. */
  paint?: Paint;
  /** In front of every line; two spaces by default. */
  indent?: string;
  /** The places of flows, which stand in front of them; none by default. */
  places?: ReadonlyMap<Flow, number>;
  /** Takes more out of the line of a flow than is taken out anyway. */
  clean?: (text: string) => string;
}

/**
 * Comparisons as a diff: what matches in short, then two lines for each part that does not.
 *
 * ```text
 *   matches: method, host, path
 * - json.qty: 2
 * + json.qty: 3
 * ```
 */
export function renderComparisons(comparisons: readonly Comparison[], options: RenderOptions = {}): string {
  const { paint = plain, indent = "  " } = options;
  const lines: string[] = [];
  const fits = comparisons.filter((one) => one.matches).map((one) => one.field);
  if (fits.length > 0) lines.push(paint("note", `  matches: ${listed(fits)}`));
  const differences = comparisons.filter((one) => !one.matches);
  for (const difference of differences.slice(0, MAX_DIFFERENCES)) lines.push(...renderDifference(difference, paint));
  const more = differences.length - MAX_DIFFERENCES;
  if (more > 0) lines.push(paint("note", `  and ${more} more ${more === 1 ? "difference" : "differences"}`));
  return lines.map((line) => indent + line).join("\n");
}

/** Near misses one after another, each under the line of its flow; those that differ in the same way are told once. */
export function renderNearMisses(misses: readonly NearMiss[], options: RenderOptions = {}): string {
  const groups = new Map<string, string[]>();
  for (const { subject, comparisons } of misses) {
    const { method, url, status, source } = describeFlow(subject);
    const place = options.places?.get(subject);
    const number = place === undefined ? "" : `#${place} `;
    const clean = options.clean ?? ((text: string) => text);
    const title = `${number}${clean(`${method} ${shorten(url, 200)}`)} (${status}, ${source})`;
    const text = renderComparisons(comparisons, options);
    const titles = groups.get(text);
    if (titles === undefined) groups.set(text, [title]);
    else titles.push(title);
  }
  const indent = options.indent ?? "  ";
  return Array.from(groups, ([text, titles]) => `${titles.map((title) => indent + title).join("\n")}\n${text}`).join(
    "\n\n",
  );
}

const MAX_DIFFERENCES = 20;
const MAX_FITS = 12;

const plain: Paint = (_, text) => text;

function listed(fields: readonly string[]): string {
  const more = fields.length - MAX_FITS;
  return more <= 0 ? fields.join(", ") : `${fields.slice(0, MAX_FITS).join(", ")} and ${more} more`;
}
