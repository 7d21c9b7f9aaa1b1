/**
 * Dates of responses: on a tape they count from 1970, so that two recordings of the same traffic are the same file; when a response is
 * replayed they count from now, so that it is as fresh as it was, and its cookies live as long.
 *
 * @module
 */
import type { FlowHeaders } from "../../flow/headers.ts";
import type { HarPair } from "../har.ts";

const EPOCH = new Date(0).toUTCString();

/** Lets the dates of a response count from 1970. One without a valid `Date` stays as it is. */
export function settleDates(headers: readonly HarPair[]): void {
  const date = headers.find(({ name }) => name.length === 4 && name.toLowerCase() === "date");
  const now = date === undefined ? NaN : Date.parse(date.value);
  if (Number.isNaN(now)) return;
  date!.value = EPOCH;
  for (const field of headers) {
    switch (field.name.toLowerCase()) {
      case "age":
        if (/^\d+$/.test(field.value)) field.value = "0";
        break;
      case "expires":
        field.value = sinceEpoch(field.value, now);
        break;
      case "last-modified":
        // A page that was made for this request.
        if (Date.parse(field.value) >= now - 2000) field.value = EPOCH;
        break;
      case "set-cookie":
        field.value = field.value.replace(COOKIE_EXPIRES, (_, name, value) => name + sinceEpoch(value, now));
        break;
    }
  }
}

/** Whether a field of this name, in lower case, is one of those that {@linkcode settleDates} reads or changes. */
export function isDated(name: string): boolean {
  return DATED.has(name);
}

const DATED: ReadonlySet<string> = new Set(["date", "age", "expires", "last-modified", "set-cookie"]);

/** Lets the dates of a response from a tape count from now. */
export function refreshDates(headers: FlowHeaders, now: number = Date.now()): void {
  if (headers.get("date") !== EPOCH) return;
  const value = new Date(now).toUTCString();
  const shift = (name: string, change: (value: string) => string) => {
    const before = headers.getAll(name);
    const after = before.map(change);
    if (after.every((value, i) => value === before[i])) return;
    headers.delete(name);
    for (const value of after) headers.append(name, value);
  };
  headers.set("date", value);
  if (headers.has("expires")) shift("expires", (value) => sinceNow(value, now));
  if (headers.get("last-modified") === EPOCH) headers.set("last-modified", value);
  if (headers.has("set-cookie")) {
    shift("set-cookie", (value) => value.replace(COOKIE_EXPIRES, (_, name, value) => name + sinceNow(value, now)));
  }
}

const COOKIE_EXPIRES = /(;\s*expires=)([^;]+)/i;

/** What was over then is over for ever. */
function sinceEpoch(value: string, now: number): string {
  const time = Date.parse(value);
  if (Number.isNaN(time) || !/\d{2}:\d{2}/.test(value)) return value;
  return new Date(Math.max(0, time - now)).toUTCString();
}

function sinceNow(value: string, now: number): string {
  const time = Date.parse(value);
  return Number.isNaN(time) || time === 0 || !/\d{2}:\d{2}/.test(value) ? value : new Date(now + time).toUTCString();
}
