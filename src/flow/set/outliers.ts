/**
 * Values that stand far apart from the others.
 *
 * @module
 */

/** Where most values lie. */
export interface UsualRange {
  /** The lowest that is not far apart. */
  readonly low: number;
  /** The highest that is not far apart. */
  readonly high: number;
}

/** Of fewer values nobody can say what is usual. */
export const MIN_VALUES = 6;

/**
 * The range outside of which values stand far apart: three times the distance of the quartiles away from them (Tukey's outer fences).
 * Unlike with a mean and its deviation, the outlier itself cannot hide in it. `undefined` for fewer than six values.
 *
 * @param slack how far from the quartiles a value may be in any case
 */
export function usualRange(values: readonly number[], slack: (median: number) => number): UsualRange | undefined {
  if (values.length < MIN_VALUES) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const [lower, median, upper] = [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)];
  const reach = Math.max(3 * (upper - lower), slack(median));
  return { low: lower - reach, high: upper + reach };
}

/** Whether a value is outside of the range. */
export function isOutlier(value: number | undefined, range: UsualRange | undefined): boolean {
  return value !== undefined && range !== undefined && (value < range.low || value > range.high);
}

function quantile(sorted: readonly number[], part: number): number {
  const at = (sorted.length - 1) * part;
  const below = Math.floor(at);
  const [a, b] = [sorted[below]!, sorted[Math.ceil(at)]!];
  return a + (b - a) * (at - below);
}
