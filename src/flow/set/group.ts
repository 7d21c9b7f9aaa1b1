/**
 * Things put together by what they have in common.
 *
 * @module
 */

/** The items by their keys, the smallest key first; each group in the order in which the items came. */
export function groupBy<T, K extends string | number>(items: Iterable<T>, keyOf: (item: T) => K): [K, T[]][] {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups].sort(([a], [b]) => a < b ? -1 : 1);
}
