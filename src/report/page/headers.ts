/**
 * Header fields of a report.
 *
 * @module
 */
import type { FieldData } from "../data.ts";

/** The value of a field; `null` when there is none. */
export function fieldOf(headers: readonly FieldData[], wanted: string): string | null {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? null;
}
