/**
 * How near a flow came to a matcher.
 *
 * @module
 */
import leven from "leven";
import type { Comparison } from "./types.ts";

/** What each part of a request says about which request was meant. */
const WEIGHTS: Readonly<Record<string, number>> = {
  type: 20,
  path: 6,
  url: 6,
  host: 4,
  method: 3,
  json: 2,
  body: 2,
  form: 2,
  query: 2,
  headers: 1,
  cookies: 1,
  scheme: 1,
  port: 1,
  status: 1,
  response: 2,
};

/** What holds values, as they are shown: other than those, the words say why there is none. */
const VALUES: ReadonlySet<string> = new Set(["json", "query", "form", "body", "text"]);
const VALUE = /^(?:"|[[{]|-?\d|true$|false$|null$)/;

/** From 0, nothing fits, to 1, everything does. Parts are weighed; the query counts once, however many parameters it has. */
export function closeness(comparisons: readonly Comparison[]): number {
  const groups = new Map<string, number[]>();
  for (const comparison of comparisons) {
    const group = /^[a-z]+/i.exec(comparison.field)?.[0] ?? "";
    const likeness = likenessOf(group, comparison);
    const known = groups.get(group);
    if (known) known.push(likeness);
    else groups.set(group, [likeness]);
  }
  let sum = 0;
  let weights = 0;
  for (const [group, values] of groups) {
    const weight = WEIGHTS[group] ?? 1;
    sum += weight * values.reduce((a, b) => a + b, 0) / values.length;
    weights += weight;
  }
  return weights === 0 ? 1 : sum / weights;
}

function likenessOf(group: string, { matches, expected, actual }: Comparison): number {
  if (matches) return 1;
  if (actual === undefined) return 0;
  // Never quite 1: a difference is a difference.
  if (group === "path") return 0.9 * sequenceLikeness(expected.split("/"), actual.split("/"));
  if (group === "host") return 0.9 * textLikeness(expected, actual);
  // Another value in the same place, or nearly the same text, says a little.
  if (VALUES.has(group) && VALUE.test(actual)) return 0.1 + 0.4 * textLikeness(expected, actual);
  return 0;
}

/** Edit distance of path segments; a segment that is nearly right is nearly no edit. */
function sequenceLikeness(expected: readonly string[], actual: readonly string[]): number {
  // A path that long says nothing more.
  const a = expected.slice(1, 40);
  const b = actual.slice(1, 40);
  let row = b.map((_, j) => j + 1);
  row.unshift(0);
  a.forEach((segment, i) => {
    const next = [i + 1];
    b.forEach((other, j) => {
      const fits = segment.startsWith(":") || segment === "*";
      const swap = row[j]! + (fits ? 0 : 1 - textLikeness(segment, other));
      next.push(Math.min(swap, row[j + 1]! + 1, next[j]! + 1));
    });
    row = next;
  });
  return 1 - row[b.length]! / Math.max(a.length, b.length, 1);
}

function textLikeness(a: string, b: string): number {
  const longest = Math.max(a.length, b.length);
  if (a === b) return 1;
  return longest > 200 ? 0 : 1 - leven(a, b) / longest;
}
