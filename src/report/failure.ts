/**
 * Why a test has failed, as a report shows it: any value that can be thrown.
 *
 * @module
 */
import { inspect, stripVTControlCharacters } from "node:util";
import { type FailureDetails, failureDetailsOf } from "../expect/details.ts";
import type { Cleaner } from "./clean.ts";
import type { DetailsData, FailureData } from "./data.ts";
import { shortened } from "./limits.ts";

/** How much of a value or message is shown. */
const MAX = 64 * 1024;

/** A failure without secrets. Nothing that is thrown keeps a report from being made. */
export function failureOf(failure: unknown, cleaner: Cleaner): FailureData {
  const clean = (text: string) => cleaner.text(shortened(stripVTControlCharacters(text), MAX));
  const string = (name: string) => {
    const value = member(failure, name);
    return typeof value === "string" && value !== "" ? { [name]: clean(value) } : {};
  };
  const shown = (name: string) => {
    const value = member(failure, name);
    return value === undefined ? {} : { [name]: clean(typeof value === "string" ? value : printed(value)) };
  };
  const message = member(failure, "message");
  const details = detailsOf(failure, clean);
  const name = member(failure, "name");
  return {
    name: clean(typeof name === "string" && name !== "" ? name : "Failure"),
    message: clean(typeof message === "string" ? message : typeof failure === "string" ? failure : printed(failure)),
    ...string("stack"),
    ...string("operator"),
    ...shown("expected"),
    ...shown("actual"),
    ...diffOf(member(failure, "diff"), clean),
    ...(details !== undefined && { details }),
  };
}

/** Of node:assert it is a setting and no diff. */
function diffOf(diff: unknown, clean: (text: string) => string): { diff?: string } {
  return typeof diff === "string" && diff.includes("\n") ? { diff: clean(diff) } : {};
}

/** What an assertion of ours has noted about it. */
function detailsOf(failure: unknown, clean: (text: string) => string): DetailsData | undefined {
  const details = known(failure);
  if (details === undefined) return undefined;
  return {
    kind: details.kind,
    summary: clean(details.summary),
    flows: details.flows.slice(0, 200).map(({ id }) => id),
    nearest: details.nearest.slice(0, 20).map(({ kind, title, flow, closeness, comparisons }) => ({
      kind,
      title: clean(title),
      ...(flow !== undefined && { flow }),
      closeness,
      comparisons: comparisons.slice(0, 200).map(({ field, expected, actual, matches }) => ({
        field: shortened(field, 500),
        expected: clean(expected),
        ...(actual !== undefined && { actual: clean(actual) }),
        matches,
      })),
    })),
    advice: details.advice.slice(0, 20).map(({ text, code, flow }) => ({
      text: clean(text),
      code: clean(code),
      ...(flow !== undefined && { flow }),
    })),
  };
}

function known(failure: unknown): FailureDetails | undefined {
  try {
    return failureDetailsOf(failure);
  } catch {
    // What is thrown may throw itself when it is looked at.
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  try {
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}

function printed(value: unknown): string {
  try {
    return inspect(value, {
      depth: 8,
      maxArrayLength: 200,
      maxStringLength: 4096,
      sorted: true,
      compact: false,
      breakLength: 100,
    });
  } catch {
    return "(cannot be shown)";
  }
}
