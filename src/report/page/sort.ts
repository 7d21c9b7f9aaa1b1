/**
 * The order of the list.
 *
 * @module
 */
import type { Row } from "./row.ts";

/** What the list can be sorted by. */
export type SortKey = "number" | "method" | "status" | "url" | "kind" | "source" | "size" | "time";

/** An order. */
export interface Order {
  readonly key: SortKey;
  readonly direction: "ascending" | "descending";
}

/** Those that nothing matched, then all others as they began. */
export const USUAL: Order = { key: "number", direction: "ascending" };

/** Sorted lines. */
export function sorted(rows: readonly Row[], { key, direction }: Order): readonly Row[] {
  const sign = direction === "ascending" ? 1 : -1;
  if (key === "number") {
    return rows.toSorted((a, b) => rank(a) - rank(b) || (a.number - b.number) * sign);
  }
  return rows.toSorted((a, b) => compare(valueOf(a, key), valueOf(b, key)) * sign || a.number - b.number);
}

/** The next order when a column is chosen: numbers begin with the largest. */
export function nextOrder({ key, direction }: Order, chosen: SortKey): Order {
  const first = chosen === "size" || chosen === "time" ? "descending" : "ascending";
  if (key !== chosen) return { key: chosen, direction: first };
  // A third time: as it was.
  if (direction !== first) return USUAL;
  return { key: chosen, direction: first === "ascending" ? "descending" : "ascending" };
}

function rank({ flow }: Row): number {
  return flow.unmatched ? 0 : 1;
}

function valueOf(row: Row, key: Exclude<SortKey, "number">): string | number {
  if (key === "url") return `${row.host}${row.path}${row.query}`;
  if (key === "source") return row.flow.source;
  return row[key] ?? -1;
}

function compare(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number"
    ? a - b
    : String(a) < String(b)
    ? -1
    : String(a) > String(b)
    ? 1
    : 0;
}
