/** What a scenario hands to the report. */
import { ratios, type Spread, spreadOf } from "./statistics.ts";

export type Unit =
  | "us"
  | "ms"
  | "per second"
  | "times"
  | "MiB"
  | "MiB/s"
  | "bytes"
  | "";

export interface Result {
  readonly title: string;
  readonly lines: Line[];
  readonly targets: Target[];
  readonly notes: string[];
}

/** One contender and what was measured of it. */
export interface Line {
  readonly name: string;
  readonly figures: Figure[];
}

export interface Figure extends Spread {
  readonly what: string;
  readonly unit: Unit;
}

export interface Target extends Figure {
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly met: boolean;
}

export function figure(what: string, unit: Unit, values: number | readonly number[]): Figure {
  return {
    what,
    unit,
    ...spreadOf(typeof values === "number" ? [values] : values),
  };
}

export function ratioFigure(what: string, of: readonly number[], to: readonly number[]): Figure {
  return { what, unit: "times", ...ratios(of, to) };
}

/** A figure with a limit; the median is what is held against it. */
export function target(measured: Figure, limit: { atMost: number } | { atLeast: number }): Target {
  const met = "atMost" in limit ? measured.median <= limit.atMost : measured.median >= limit.atLeast;
  return { ...measured, ...limit, met };
}
