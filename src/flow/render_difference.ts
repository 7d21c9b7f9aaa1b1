/**
 * One difference as lines of a diff.
 *
 * @module
 */
import { shorten } from "./matcher/describe.ts";
import type { Comparison } from "./matcher/types.ts";
import { diffLines } from "./set/line_diff.ts";

/** Puts a colour on a piece of text; the default is none. */
export type Paint = (role: "expected" | "received" | "note", text: string) => string;

/** So much of a value is shown. */
const MAX_VALUE = 500;

/** Lines around a difference that are shown, and lines that are shown at most. */
const CONTEXT = 2;
const MAX_LINES = 40;

/** What was wanted and what was there, under each other; texts of several lines are compared line by line. */
export function renderDifference({ field, expected, actual }: Comparison, paint: Paint): string[] {
  const [before, after] = [linesOf(expected), linesOf(actual)];
  if (before !== undefined && after !== undefined && expected !== actual) {
    return [`  ${field}:`, ...renderLines(before, after, paint)];
  }
  const note = expected === actual ? " (another one)" : "";
  return [
    paint("expected", `- ${field}: ${shorten(expected, MAX_VALUE)}`),
    paint("received", `+ ${field}: ${actual === undefined ? "absent" : shorten(actual, MAX_VALUE)}${note}`),
  ];
}

/** The lines of a text in quotes, when there are several. */
function linesOf(text: string | undefined): readonly string[] | undefined {
  if (text === undefined || !/^".*\\n.*"$/.test(text)) return undefined;
  try {
    const lines = (JSON.parse(text) as string).split(/\r?\n/);
    return lines.length > 2 ? lines : undefined;
  } catch {
    return undefined;
  }
}

function renderLines(before: readonly string[], after: readonly string[], paint: Paint): string[] {
  const lines = diffLines(before, after);
  const changed = lines.flatMap(({ kind }, i) => kind === "same" ? [] : [i]);
  const shown: string[] = [];
  lines.forEach((line, i) => {
    if (line.kind === "removed") shown.push(paint("expected", `-   ${shorten(before[line.a]!, MAX_VALUE)}`));
    else if (line.kind === "added") shown.push(paint("received", `+   ${shorten(after[line.b]!, MAX_VALUE)}`));
    else if (changed.some((at) => Math.abs(at - i) <= CONTEXT)) {
      shown.push(`    ${shorten(after[line.b]!, MAX_VALUE)}`.trimEnd());
    } else if (shown.at(-1) !== GAP) shown.push(GAP);
  });
  const more = shown.length - MAX_LINES;
  return more > 0 ? [...shown.slice(0, MAX_LINES), paint("note", `    … ${more} more lines`)] : shown;
}

const GAP = "    …";
