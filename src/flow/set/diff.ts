/**
 * Two flows side by side: a unified diff of what was said.
 *
 * @module
 */
import type { Flow } from "../flow.ts";
import { excerpts } from "../matcher/excerpt.ts";
import { describeFlow } from "../summary.ts";
import type { Line } from "./body_lines.ts";
import { flowLines } from "./flow_lines.ts";
import { type DiffLine, diffLines } from "./line_diff.ts";

/** So many lines around a difference are shown. */
const CONTEXT = 3;
/** The longest diff. */
const MAX_LINES = 400;

/** The differences of two flows, heads and decoded bodies, without credentials; times do not count. */
export function diffFlows(a: Flow, b: Flow, names: readonly [string, string]): string {
  const [before, after] = [flowLines(a), flowLines(b)];
  const lines = diffLines(before.map(({ raw }) => raw), after.map(({ raw }) => raw));
  const head = [`--- ${names[0]} ${title(a)}`, `+++ ${names[1]} ${title(b)}`];
  if (lines.every(({ kind }) => kind === "same")) return [...head, "  no difference"].join("\n");
  const body = blocksOf(lines).flatMap((block) => render(block, before, after));
  const more = body.length - MAX_LINES;
  if (more > 0) body.splice(MAX_LINES, more, `  … ${more} more lines`);
  return [...head, ...body].join("\n");
}

function title(flow: Flow): string {
  const { method, url, status, source } = describeFlow(flow);
  return `${method} ${url.length <= 200 ? url : `${url.slice(0, 199)}…`} (${status}, ${source})`;
}

/** A run of lines that are all the same, or all are not. */
interface Block {
  readonly same: boolean;
  readonly lines: DiffLine[];
  readonly first: boolean;
  readonly last: boolean;
}

function blocksOf(lines: readonly DiffLine[]): Block[] {
  const runs: DiffLine[][] = [];
  for (const line of lines) {
    const run = runs.at(-1);
    if (run !== undefined && (run[0]!.kind === "same") === (line.kind === "same")) run.push(line);
    else runs.push([line]);
  }
  return runs.map((run, i) => ({
    same: run[0]!.kind === "same",
    lines: run,
    first: i === 0,
    last: i === runs.length - 1,
  }));
}

function render(block: Block, before: readonly Line[], after: readonly Line[]): string[] {
  if (!block.same) return renderChange(block.lines, before, after);
  const shown = block.lines.map((line) => `  ${short(after[(line as { b: number }).b]!.shown)}`.trimEnd());
  const above = block.first ? 0 : CONTEXT;
  const below = block.last ? 0 : CONTEXT;
  const hidden = shown.length - above - below;
  if (hidden <= 1) return shown;
  return [...shown.slice(0, above), `  … ${hidden} lines that are the same`, ...shown.slice(above + hidden)];
}

function renderChange(lines: readonly DiffLine[], before: readonly Line[], after: readonly Line[]): string[] {
  const removed = lines.flatMap((line) => line.kind === "removed" ? [before[line.a]!.shown] : []);
  const added = lines.flatMap((line) => line.kind === "added" ? [after[line.b]!.shown] : []);
  // Long lines are cut to where they differ, one with its counterpart.
  const pairs = Math.min(removed.length, added.length);
  for (let i = 0; i < pairs; i++) {
    const [was, is] = excerpts(removed[i]!, added[i]!);
    removed[i] = was;
    added[i] = was === is ? `${is} (another one)` : is;
  }
  return [
    ...removed.map((text) => `- ${short(text)}`.trimEnd()),
    ...added.map((text) => `+ ${short(text)}`.trimEnd()),
  ];
}

function short(text: string): string {
  return text.length <= MAX_WIDTH ? text : `${text.slice(0, MAX_WIDTH)}…`;
}

const MAX_WIDTH = 400;
