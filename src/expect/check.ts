/**
 * The outcome of a check, and the message that explains it.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import { type FailureAdvice, type FailureFlow, type FailureKind, type FailureNearest, noteFailure } from "./details.ts";

/** The outcome of a check, in the form that `expect.extend` of every runner takes. */
export interface Check {
  /** Whether it holds. */
  readonly pass: boolean;
  /** Why it does not hold; when it does, why its opposite does not. */
  readonly message: () => string;
  /** What was found. */
  readonly actual: unknown;
  /** What was wanted. */
  readonly expected: unknown;
  /** Whether what is still to come cannot change it: then there is nothing to wait for. */
  readonly settled: boolean;
}

/** A part of a message, with the data that it shows. */
export interface Section {
  /** What is printed; nothing of it is secret. */
  readonly text: string;
  /** Flows that it is about. */
  readonly flows?: readonly FailureFlow[];
  /** What came near. */
  readonly nearest?: readonly FailureNearest[];
  /** What to do about it. */
  readonly advice?: readonly FailureAdvice[];
}

/** What {@linkcode outcome} takes. */
export interface OutcomeInit {
  /** What was asked. */
  readonly kind: FailureKind;
  /** Whether it holds. */
  readonly pass: boolean;
  /** What was found. */
  readonly actual: unknown;
  /** What was wanted. */
  readonly expected: unknown;
  /** Whether what is still to come cannot change it; by default when it holds. */
  readonly settled?: boolean;
  /** The message part by part, the summary first. Asked when the message is. */
  readonly explain: () => readonly (Section | undefined)[];
}

/** An outcome whose message is made when somebody asks for it. */
export function outcome({ kind, pass, actual, expected, settled = pass, explain }: OutcomeInit): Check {
  let made: string | undefined;
  const make = (): string => {
    const sections = explain().filter((one) => one !== undefined).filter(({ text }) => text !== "");
    const message = sections.map(({ text }) => text).join("\n\n");
    noteFailure({
      kind,
      summary: stripVTControlCharacters(sections[0]?.text ?? ""),
      message: stripVTControlCharacters(message),
      expected,
      actual,
      flows: sections.flatMap(({ flows = [] }) => flows),
      nearest: sections.flatMap(({ nearest = [] }) => nearest),
      advice: sections.flatMap(({ advice = [] }) => advice),
    });
    return message;
  };
  return { pass, actual, expected, settled, message: () => made ??= make() };
}

/** Two spaces in front of every line. */
export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
