/**
 * What was changed in a response: which values stand where others stood.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isJson } from "../../flow/media_type.ts";
import { outlineOf } from "./unusual.ts";

/** A response at one moment. */
export interface Moment {
  readonly body: Uint8Array;
  /** A line for each field. */
  readonly fields: string;
}

/** Values that stand in the place of others. */
export function edited(before: Moment, after: Moment, contentType: string | null): Map<string, string> {
  const pairs = new Map<string, string>();
  if (before.fields !== after.fields) {
    const lines = new Map(before.fields.split("\n").map((line) => [nameOf(line), line]));
    for (const line of after.fields.split("\n")) compareText(lines.get(nameOf(line)) ?? "", line, pairs);
  }
  if (before.body !== after.body) {
    const [a, b] = [before.body, after.body].map((body) => Buffer.from(body).toString("utf8")) as [string, string];
    if (isJson(contentType)) compareJson(a, b, pairs);
    else compareText(a, b, pairs);
  }
  return pairs;
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(":")).toLowerCase();
}

function compareText(a: string, b: string, pairs: Map<string, string>): void {
  if (a === b) return;
  const from = outlineOf(a);
  const to = outlineOf(b);
  if (from.shape !== to.shape) return;
  from.values.forEach((value, i) => {
    if (value !== to.values[i]) pairs.set(value, to.values[i]!);
  });
}

function compareJson(a: string, b: string, pairs: Map<string, string>): void {
  const walk = (from: unknown, to: unknown) => {
    if (from === to || from === null || to === null) return;
    if (typeof from === "object" && typeof to === "object") {
      for (const [key, value] of Object.entries(from)) walk(value, (to as Record<string, unknown>)[key]);
    } else if (
      ["string", "number"].includes(typeof from) && ["string", "number"].includes(typeof to) && String(to) !== ""
    ) {
      pairs.set(String(from), String(to));
    }
  };
  try {
    walk(JSON.parse(a), JSON.parse(b));
  } catch {
    compareText(a, b, pairs);
  }
}
