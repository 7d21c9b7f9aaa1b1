/**
 * The error for an expression that cannot be read.
 *
 * @module
 */
import { OptionsError } from "../error.ts";

/** A part of an expression: from one place up to another. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** How much of an expression is shown. */
const SHOWN = 100;

/** An error with the expression, and a caret under the place. */
export function problem(expression: string, { start, end }: Span, message: string): OptionsError {
  // A long expression is shown around the place.
  const from = start <= SHOWN - 20 ? 0 : start - SHOWN / 2;
  const before = from === 0 ? "" : "…";
  const after = expression.length > from + SHOWN ? "…" : "";
  const line = (before + expression.slice(from, from + SHOWN) + after).replace(/\s/g, " ");
  const column = before.length + start - from;
  const width = Math.max(1, Math.min(end, from + SHOWN) - start);
  return new OptionsError(`filter expression: ${message}\n  ${line}\n  ${" ".repeat(column)}${"^".repeat(width)}`);
}
