/** The results as people like to read them, and as JSON. */
import os from "node:os";
import process from "node:process";
import { styleText } from "node:util";
import type { Figure, Result, Target, Unit } from "./result.ts";

export interface Report {
  readonly machine: string;
  readonly results: (Result & { id: string; seconds: number })[];
  readonly failures: { id: string; error: string }[];
}

export function machine(): string {
  const cpus = os.cpus();
  return `Node ${process.versions.node}, ${process.platform} ${process.arch}, ${cpus.length} x ${
    cpus[0]?.model.trim()
  }`;
}

/** One scenario: a line for each contender, a line for each target. */
export function renderResult({ title, lines, targets, notes }: Result, seconds: number): string {
  const header = [
    "",
    ...lines[0]?.figures.map(({ what, unit }) => unit === "per second" ? `${what} a second` : what) ?? [],
  ];
  const rows = lines.map(({ name, figures }) => [name, ...figures.map((figure) => show(figure) + range(figure))]);
  const table = columns([header, ...rows]).map((row, index) => index === 0 ? styleText("dim", row) : row);
  return [
    styleText("bold", title) + styleText("dim", `  ${seconds.toFixed(0)} s`),
    ...table.map((row) => "  " + row),
    ...notes.map((note) => styleText("dim", `  (${note})`)),
    ...targets.map((target) => "  " + renderTarget(target)),
  ].join("\n") + "\n";
}

/** Every target on one page. */
export function renderSummary({ results, failures }: Report): string {
  const rows = results.flatMap(({ title, targets }) =>
    targets.map((target, index) => [
      index === 0 ? title : "",
      target.what,
      limit(target),
      show(target) + range(target),
      verdict(target),
    ])
  );
  const table = columns([["", "", "target", "measured", ""], ...rows]);
  const all = results.flatMap(({ targets }) => targets);
  const met = all.filter((target) => target.met).length;
  return [
    styleText("bold", "Targets"),
    ...table.map((row, index) => "  " + (index === 0 ? styleText("dim", row) : row)),
    "",
    `  ${met} of ${all.length} targets met` +
    (failures.length ? `, ${failures.length} scenarios could not be run` : ""),
    ...failures.map(({ id, error }) => styleText("red", `  ${id}: ${error.split("\n")[0]}`)),
  ].join("\n") + "\n";
}

function renderTarget(target: Target): string {
  return `${verdict(target)}: ${show(target)}${range(target)} ${target.what}, target ${limit(target)}`;
}

function verdict({ met }: Target): string {
  return met ? styleText("green", "met") : styleText("red", "not met");
}

function limit({ atMost, atLeast, unit }: Target): string {
  return atMost !== undefined ? `at most ${amount(atMost, unit)}` : `at least ${amount(atLeast!, unit)}`;
}

function show({ median, unit }: Figure): string {
  return amount(median, unit);
}

function range({ min, max }: Figure): string {
  return min === max ? "" : ` (${digits(min)} .. ${digits(max)})`;
}

function amount(value: number, unit: Unit): string {
  return unit === "" || unit === "per second" || unit === "times" ? digits(value) : `${digits(value)} ${unit}`;
}

/** Three significant digits; more than that is noise. */
function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en");
  return String(Number(value.toFixed(size >= 10 ? 1 : size >= 0.2 ? 2 : 3)));
}

/** Pads the cells of a table, by what is seen of them. */
function columns(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, index) => Math.max(...rows.map((row) => width(row[index] ?? ""))));
  return rows.map((row) =>
    row.map((cell, index) => cell + " ".repeat(widths[index]! - width(cell)))
      .join("  ").trimEnd()
  );
}

function width(text: string): number {
  // deno-lint-ignore no-control-regex -- escape sequences take no room
  return text.replace(/\x1b\[\d+m/g, "").length;
}
