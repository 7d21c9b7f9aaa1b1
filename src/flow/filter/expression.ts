/**
 * A filter expression as a tree.
 *
 * @module
 */

/** An operator with its argument. */
export interface Term {
  readonly kind: "term";
  /** The name of the operator, without `~`. */
  readonly operator: string;
  /** What stands behind it, without quotes; none when the operator takes none. */
  readonly argument?: string;
}

/** What must not hold. */
export interface Negation {
  readonly kind: "not";
  readonly inner: Expression;
}

/** Two or more of which all, or one, must hold. None of them is of the same kind. */
export interface Combination {
  readonly kind: "and" | "or";
  readonly parts: readonly Expression[];
}

/** A filter expression. */
export type Expression = Term | Negation | Combination;

/** Several as one: one alone stays as it is, and those of the same kind are taken apart. */
export function combine(kind: "and" | "or", parts: readonly Expression[]): Expression {
  if (parts.length === 1) return parts[0]!;
  return { kind, parts: parts.flatMap((part) => part.kind === kind ? part.parts : [part]) };
}
