/**
 * Numbers for people.
 *
 * @module
 */

/** `532 B`, `1.4 kB`, `12 MB`. */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  const [value, unit] = size < 999_500 ? [size / 1000, "kB"] : [size / 1_000_000, "MB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** `0.4 ms`, `35 ms`, `1.25 s`, `3 min 4 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round(ms % 60_000 / 1000)} s`;
}

/** A round duration. */
export function tick(ms: number): string {
  return ms < 1000
    ? `${Number(ms.toPrecision(3))} ms`
    : ms < 60_000
    ? `${ms / 1000} s`
    : `${Number((ms / 60_000).toFixed(1))} min`;
}

/** `1 flow`, `12 flows`, `1,200 flows`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** A moment, in the time zone of the reader. */
export function moment(time: number | string): string {
  return new Date(time).toLocaleString("en-GB", {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** The time of day with milliseconds. */
export function clock(time: number): string {
  return new Date(time).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  });
}

/** The day. */
export function day(time: number): string {
  return new Date(time).toLocaleDateString("en-GB", { year: "numeric", month: "short", day: "numeric" });
}
