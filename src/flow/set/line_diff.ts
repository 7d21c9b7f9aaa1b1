/**
 * Which lines of two texts are the same (Myers, "An O(ND) Difference Algorithm and Its Variations", 1986).
 *
 * @module
 */

/** A line of the comparison: in both texts, in the first alone, or in the second alone. The numbers are places in the two lists. */
export type DiffLine =
  | { readonly kind: "same"; readonly a: number; readonly b: number }
  | { readonly kind: "removed"; readonly a: number }
  | { readonly kind: "added"; readonly b: number };

/** Texts with more differences are not compared further: what is between their first and last one is replaced as a whole. */
const MAX_DIFFERENCES = 1000;

/** The shortest way from the lines of one text to those of the other. */
export function diffLines(a: readonly string[], b: readonly string[]): DiffLine[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const middle = shortest(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return [
    ...a.slice(0, start).map((_, i) => same(i, i)),
    ...middle.map((line): DiffLine =>
      line.kind === "same"
        ? same(line.a + start, line.b + start)
        : line.kind === "removed"
        ? { kind: "removed", a: line.a + start }
        : { kind: "added", b: line.b + start }
    ),
    ...a.slice(a.length - end).map((_, i) => same(a.length - end + i, b.length - end + i)),
  ];
}

function shortest(a: readonly string[], b: readonly string[]): DiffLine[] {
  if (a.length === 0 || b.length === 0) return replaced(a, b);
  const trace: Int32Array[] = [];
  const most = Math.min(a.length + b.length, MAX_DIFFERENCES);
  // reach[k + most + 1] is how far in `a` the diagonal k = x - y has got.
  const reach = new Int32Array(2 * most + 3);
  for (let d = 0; d <= most; d++) {
    trace.push(reach.slice(most + 1 - d - 1, most + 1 + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const at = k + most + 1;
      let x = k === -d || k !== d && reach[at - 1]! < reach[at + 1]! ? reach[at + 1]! : reach[at - 1]! + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[at] = x;
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a.length, b.length);
    }
  }
  return replaced(a, b);
}

/** Each item of the trace is what was reached before that step: its middle is the diagonal 0. */
function walkBack(trace: readonly Int32Array[], x: number, y: number): DiffLine[] {
  const lines: DiffLine[] = [];
  for (let d = trace.length - 1; d >= 0; d--) {
    const reached = (diagonal: number) => trace[d]![diagonal + d + 1]!;
    const k = x - y;
    const down = k === -d || k !== d && reached(k - 1) < reached(k + 1);
    const fromX = d === 0 ? 0 : reached(down ? k + 1 : k - 1);
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY) lines.push(same(--x, --y));
    if (d === 0) break;
    lines.push(down ? { kind: "added", b: --y } : { kind: "removed", a: --x });
  }
  return lines.reverse();
}

function replaced(a: readonly string[], b: readonly string[]): DiffLine[] {
  return [
    ...a.map((_, i): DiffLine => ({ kind: "removed", a: i })),
    ...b.map((_, i): DiffLine => ({ kind: "added", b: i })),
  ];
}

function same(a: number, b: number): DiffLine {
  return { kind: "same", a, b };
}
