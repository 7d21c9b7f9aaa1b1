/**
 * From a tree back to text, in the one way in which it is written everywhere.
 *
 * @module
 */
import type { Expression, Term } from "./expression.ts";

/** The canonical text: parsing it gives the same tree. */
export function print(expression: Expression): string {
  switch (expression.kind) {
    case "term":
      return printTerm(expression);
    case "not":
      return `!${within(expression.inner, "term")}`;
    case "and":
      return expression.parts.map((part) => within(part, "and")).join(" & ");
    case "or":
      return expression.parts.map((part) => within(part, "or")).join(" | ");
  }
}

/** How tightly each binds. */
const RANK = { or: 0, and: 1, not: 2, term: 2 } as const;

function within(part: Expression, outer: keyof typeof RANK): string {
  return RANK[part.kind] < RANK[outer] ? `(${print(part)})` : print(part);
}

function printTerm({ operator, argument }: Term): string {
  return argument === undefined ? `~${operator}` : `~${operator} ${isWord(argument) ? argument : quote(argument)}`;
}

/** What needs no quotes, and does not look as if something else were meant. */
function isWord(text: string): boolean {
  return /^[^()~'"\s]+$/.test(text) && !/^[!&|]|[&|]$/.test(text);
}

function quote(text: string): string {
  const escaped = text.replace(/[\\"\n\r\t\f]/g, (sign) => `\\${LETTERS[sign] ?? sign}`);
  return `"${escaped}"`;
}

const LETTERS: Readonly<Record<string, string>> = { "\n": "n", "\r": "r", "\t": "t", "\f": "f" };
