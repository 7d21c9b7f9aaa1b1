/**
 * How old a recording may become: `30d`, `6w`, `3mo`, `1y`.
 *
 * @module
 */

const DAYS: Record<string, number> = { d: 1, w: 7, mo: 30, y: 365 };

/** Milliseconds of a day. */
export const DAY_MS = 86_400_000;

/** The days in `"30d"`, `"6w"`, `"3mo"` (of 30 days) or `"1y"`; `undefined` when it is none of these. */
export function parseDays(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,5})\s*(d|w|mo|y)$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(count) * DAYS[unit]!;
}

/** The day of a moment, in UTC: `2026-11-20`. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
