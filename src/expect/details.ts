/**
 * The plain data behind the message of a failed assertion, for reports.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import type { Comparison } from "../flow/matcher/types.ts";

/** What an assertion is about. */
export type FailureKind = "received" | "place" | "order" | "unmatched" | "unused" | "request" | "response" | "message";

/** Why an assertion failed, as plain data: nothing in it is secret, and it can be written as JSON. */
export interface FailureDetails {
  /** What was asked. */
  readonly kind: FailureKind;
  /** What was wanted and what was found: the first lines of the message. */
  readonly summary: string;
  /** The whole message, without colours. */
  readonly message: string;
  /** What was wanted, as the error has it. */
  readonly expected: unknown;
  /** What was found, as the error has it. */
  readonly actual: unknown;
  /** The flows that the summary is about: those that matched, that nothing matched, or the one that was looked at. */
  readonly flows: readonly FailureFlow[];
  /** What came nearest, the nearest first: requests, messages, rules, entries of the tape. */
  readonly nearest: readonly FailureNearest[];
  /** What can be done about it, as code to paste. */
  readonly advice: readonly FailureAdvice[];
}

/** A flow that a failure is about. */
export interface FailureFlow {
  /** Its `id`, unique in this process. */
  readonly id: string;
  /** Its place in the flows that were looked at, from 0; -1 when it is not among them. */
  readonly index: number;
  /** Such as `POST`. */
  readonly method: string;
  /** Absolute, without credentials. */
  readonly url: string;
  /** The status, the code of its error, or `pending`. */
  readonly status: number | string;
  /** Who answered. */
  readonly source: string;
}

/** Something that almost fitted. */
export interface FailureNearest {
  /** What it is. */
  readonly kind: "request" | "message" | "rule" | "entry";
  /** One line that names it, such as `POST https://shop.test/orders`. */
  readonly title: string;
  /** The `id` of the flow that it is, or that a rule or an entry was compared with. */
  readonly flow: string | undefined;
  /** From 0, nothing fits, to 1. */
  readonly closeness: number;
  /** Field by field, what was wanted and what was there. */
  readonly comparisons: readonly Comparison[];
}

/** One thing to do. */
export interface FailureAdvice {
  /** When to do it, such as `to answer it with a rule`. */
  readonly text: string;
  /** The line to add. */
  readonly code: string;
  /** The `id` of the flow that it is about. */
  readonly flow: string | undefined;
}

/**
 * The data behind a failure of an assertion or of a matcher, whatever the test runner has made of the error: it may be a copy, or have
 * nothing but the message. Of the latest 100 failures of this process; `undefined` for any other error.
 *
 * @example
 * ```ts
 * import { assertReceived, failureDetailsOf, FlowSet } from "flowtape";
 *
 * try {
 *   assertReceived(new FlowSet(), "POST /orders");
 * } catch (error) {
 *   console.log(failureDetailsOf(error)?.summary);
 * }
 * ```
 */
export function failureDetailsOf(error: unknown): FailureDetails | undefined {
  return find(error, 0);
}

/** Keeps what is behind a message that is about to be thrown. */
export function noteFailure(details: FailureDetails): FailureDetails {
  recent.push(details);
  if (recent.length > KEPT) recent.shift();
  return details;
}

const KEPT = 100;
const recent: FailureDetails[] = [];

/** Runners and bindings put several errors into one: nobody nests them deeper than this. */
const DEEPEST = 4;

function find(error: unknown, depth: number): FailureDetails | undefined {
  if (typeof error !== "object" || error === null || depth > DEEPEST) return undefined;
  const { message, cause, errors } = error as { message?: unknown; cause?: unknown; errors?: unknown };
  const text = typeof message === "string" ? stripVTControlCharacters(message) : "";
  // Runners put words of their own in front of a message.
  const own = recent.findLast((one) => text.includes(one.message));
  if (own !== undefined) return own;
  for (const inner of Array.isArray(errors) ? errors.slice(0, 10) : [cause]) {
    const found = find(inner, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
