/**
 * Where chunks end in a body that has been redacted. It is redacted as a whole, because a secret may begin in one chunk and end in the
 * next; then the ends of the chunks are looked for again.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** The places in `after` that are where `ends` are in `before`. What was replaced belongs to the chunk in which it began. */
export function moveMarks(before: Uint8Array, after: Uint8Array, ends: readonly number[]): number[] {
  if (before === after || Buffer.compare(before, after) === 0) return [...ends];
  const from = linesOf(before);
  const to = linesOf(after);
  // Usually a line stays a line.
  const lines = from.length === to.length
    ? from.map((line, i) => ({ line, other: to[i]! }))
    : [{ line: { start: 0, end: before.length }, other: { start: 0, end: after.length } }];
  let at = 0;
  let last = 0;
  return ends.map((end) => {
    while (at < lines.length - 1 && lines[at]!.line.end < end) at++;
    const { line, other } = lines[at]!;
    const moved = other.start +
      moveWithin(before.subarray(line.start, line.end), after.subarray(other.start, other.end), end - line.start);
    // None ends before the one in front of it.
    return last = Math.max(last, Math.min(moved, after.length));
  });
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function linesOf(bytes: Uint8Array): Span[] {
  const lines: Span[] = [];
  for (let start = 0; start < bytes.length;) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed < 0 ? bytes.length : feed + 1;
    lines.push({ start, end });
    start = end;
  }
  return lines.length === 0 ? [{ start: 0, end: 0 }] : lines;
}

function moveWithin(before: Uint8Array, after: Uint8Array, place: number): number {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  if (place <= head) return place;
  const most = Math.min(before.length, after.length) - head;
  let tail = 0;
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  if (place >= before.length - tail) return after.length - (before.length - place);
  return after.length - tail;
}
