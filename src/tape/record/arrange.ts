/**
 * In which order exchanges stand on a tape. It must not depend on chance, so that a recording of the same traffic is the same file: what
 * happened one after the other stands so; what was under way together is sorted; what was on the tape before stays in its place.
 *
 * @module
 */
import { type Kept, learnSame } from "./kept.ts";

/** What two exchanges are compared by. */
export type Known = Pick<Kept, "key" | "same">;

/** What happened while one proxy was open, as a story. */
export function inOrder(items: readonly Kept[]): Kept[] {
  const sorted = items.toSorted((a, b) => a.start - b.start);
  const story: Kept[] = [];
  let together: Kept[] = [];
  let end = -Infinity;
  for (const item of sorted) {
    if (item.start >= end && together.length > 0) {
      story.push(...sortedByKey(together));
      together = [];
    }
    together.push(item);
    end = Math.max(end, item.end);
  }
  story.push(...sortedByKey(together));
  return story;
}

/** Equal requests stay in the order in which they began. */
function sortedByKey(items: Kept[]): Kept[] {
  return items.length < 2 ? items : items.sort((a, b) => compare(a.label, b.label) || compare(a.key, b.key));
}

/**
 * Recorded anew: what was on the tape before keeps its place, and stays as it was where only moments and the like differ. What is new
 * stands behind what came before it.
 */
export async function likeBefore(story: readonly Kept[], before: readonly Kept[]): Promise<Kept[]> {
  const old = byKey(before);
  const place = new Map(before.map((item, i) => [item, i]));
  const known = story.filter(({ key }) => old.has(key));
  await learnSame(known);
  await learnSame(known.flatMap(({ key }) => old.get(key)!));
  const used = new Map<string, number>();
  let anchor = -1;
  const placed = story.map((item, i) => {
    const nth = used.get(item.key) ?? 0;
    used.set(item.key, nth + 1);
    const match = old.get(item.key)?.[nth];
    if (match !== undefined) anchor = place.get(match)!;
    return {
      item: match?.same === item.same && match !== undefined ? match : item,
      anchor,
      known: match !== undefined,
      i,
    };
  });
  return placed
    .sort((a, b) => a.anchor - b.anchor || Number(b.known) - Number(a.known) || a.i - b.i)
    .map(({ item }) => item);
}

/**
 * All of both, without what is the same: answers to one request stay in the order in which they came, and what both have had in common
 * is there once.
 */
export async function weave(a: readonly Kept[], b: readonly Kept[]): Promise<Kept[]> {
  const before = byKey(a);
  const after = byKey(b);
  for (const [key, items] of after) {
    const others = before.get(key);
    if (others === undefined) continue;
    await learnSame(others);
    await learnSame(items);
  }
  return weaveKnown(a, b);
}

/** The same where `same` is known of all that might be. */
export function weaveKnown<T extends Known>(a: readonly T[], b: readonly T[]): T[] {
  if (a.length === 0 || b.length === 0) return [...a, ...b];
  const before = byKey(a);
  const twins = new Map<T, T>();
  for (const [key, items] of byKey(b)) {
    const others = before.get(key);
    if (others === undefined) continue;
    for (const [mine, theirs] of inCommon(others, items)) twins.set(theirs, mine);
  }
  const behind = new Map<T, T[]>();
  const ahead = new Map<T, T[]>();
  // Answers to one request keep their order: what stands before the first that both have goes before it.
  const next = new Map<string, T>();
  const nextOf = b.toReversed().map((item) => {
    const twin = twins.get(item);
    if (twin !== undefined) next.set(item.key, twin);
    return next.get(item.key);
  }).reverse();
  const previous = new Map<string, T>();
  let anchor = a.at(-1)!;
  for (const [i, item] of b.entries()) {
    const twin = twins.get(item);
    if (twin !== undefined) {
      anchor = twin;
      previous.set(item.key, twin);
    } else if (!before.has(item.key)) {
      put(behind, anchor, item);
    } else if (previous.has(item.key) || nextOf[i] === undefined) {
      put(behind, previous.get(item.key) ?? before.get(item.key)!.at(-1)!, item);
    } else {
      put(ahead, nextOf[i], item);
    }
  }
  return a.flatMap((item) => [...(ahead.get(item) ?? []), item, ...(behind.get(item) ?? [])]);
}

function put<T>(lists: Map<T, T[]>, anchor: T, item: T): void {
  const list = lists.get(anchor);
  if (list === undefined) lists.set(anchor, [item]);
  else list.push(item);
}

/** Those that are in a list, without as many of each as are in another. */
export async function without(items: readonly Kept[], taken: readonly Kept[]): Promise<Kept[]> {
  const keys = byKey(taken);
  const suspects = items.filter(({ key }) => keys.has(key));
  await learnSame(suspects);
  await learnSame(taken);
  const left = new Map<string, number>();
  for (const { same } of taken) left.set(same!, (left.get(same!) ?? 0) + 1);
  return items.filter((item) => {
    const count = item.same === undefined || !keys.has(item.key) ? 0 : left.get(item.same) ?? 0;
    if (count === 0) return true;
    left.set(item.same!, count - 1);
    return false;
  });
}

/** By what was asked for. */
export function byKey<T extends Known>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const list = groups.get(item.key);
    if (list === undefined) groups.set(item.key, [item]);
    else list.push(item);
  }
  return groups;
}

/** More comparisons than this are not worth an answer twice. */
const MAX_COMPARED = 4_000_000;

/** The longest sequence that both have, as pairs. */
function inCommon<T extends Known>(a: readonly T[], b: readonly T[]): [T, T][] {
  const pairs: [T, T][] = [];
  let start = 0;
  while (start < a.length && start < b.length && a[start]!.same === b[start]!.same) {
    pairs.push([a[start]!, b[start++]!]);
  }
  let endA = a.length, endB = b.length;
  while (endA > start && endB > start && a[endA - 1]!.same === b[endB - 1]!.same) {
    pairs.push([a[--endA]!, b[--endB]!]);
  }
  const rows = endA - start, columns = endB - start;
  if (rows === 0 || columns === 0 || rows * columns > MAX_COMPARED) return pairs;
  const width = columns + 1;
  const lengths = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      lengths[i * width + j] = a[start + i]!.same === b[start + j]!.same
        ? lengths[(i + 1) * width + j + 1]! + 1
        : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  for (let i = 0, j = 0; i < rows && j < columns;) {
    if (a[start + i]!.same === b[start + j]!.same) pairs.push([a[start + i++]!, b[start + j++]!]);
    else if (lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!) i++;
    else j++;
  }
  return pairs;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
