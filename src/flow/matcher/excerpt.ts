/**
 * Two long texts, cut to where they differ.
 *
 * @module
 */

const LONGEST = 300;
const BEFORE = 60;

/**
 * Both texts around their first difference; short ones whole.
 *
 * @param short what is short
 */
export function excerpts(a: string, b: string, short: number = LONGEST): [string, string] {
  if (a.length <= short && b.length <= short) return [a, b];
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  const start = Math.max(0, at - BEFORE);
  return [cut(a, start), cut(b, start)];
}

function cut(text: string, start: number): string {
  const end = start + LONGEST;
  return `${start > 0 ? "…" : ""}${text.slice(start, end)}${end < text.length ? "…" : ""}`;
}
