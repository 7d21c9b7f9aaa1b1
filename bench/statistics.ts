/** Medians and spreads. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error("no values were measured");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Ratios of the same round: what else the machine did in that round touched both alike. */
export function ratios(of: readonly number[], to: readonly number[]): Spread {
  return spreadOf(of.slice(0, to.length).map((value, round) => value / to[round]!));
}
