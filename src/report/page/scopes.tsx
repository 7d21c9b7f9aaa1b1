/**
 * All flows, or those that need a look.
 *
 * @module
 */
import type { VNode } from "preact";
import { Choice } from "./choice.tsx";
import type { Row } from "./row.ts";

/** Which flows are looked at. */
export type Scope = "all" | "problems" | "unmatched";

interface ScopeOption {
  readonly id: Scope;
  readonly label: string;
  readonly count: number;
  holds(row: Row): boolean;
}

/** Those that there are flows for. */
export function scopesOf(rows: readonly Row[]): ScopeOption[] {
  const option = (id: Scope, label: string, holds: (row: Row) => boolean): ScopeOption => ({
    id,
    label,
    count: rows.filter(holds).length,
    holds,
  });
  const all = option("all", "All", () => true);
  const others = [
    option("problems", "Problems", ({ isProblem }) => isProblem),
    option("unmatched", "Unmatched", ({ flow }) => flow.unmatched === true),
  ];
  return [all, ...others.filter(({ count }) => count > 0)];
}

/** The choice; nothing when there is none. */
export function Scopes(
  { rows, scope, onScope }: { rows: readonly Row[]; scope: Scope; onScope(scope: Scope): void },
): VNode | null {
  const options = scopesOf(rows);
  if (options.length < 2) return null;
  return (
    <Choice
      label="Which flows"
      options={options.map(({ id, label, count }) => ({ value: id, label: `${label} ${count.toLocaleString("en")}` }))}
      value={scope}
      onChoose={onScope}
    />
  );
}
