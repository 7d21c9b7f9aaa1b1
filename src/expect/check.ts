/**
 * The outcome of a check, and the message that explains it.
 *
 * @module
 */
import { stripVTControlCharacters } from "node:util";
import {
  type FailureAdvice,
  type FailureDetails,
  type FailureFlow,
  type FailureKind,
  type FailureNearest,
  noteFailure,
} from "./details.ts";

/** The outcome of a check, in the form that `expect.extend` of every runner takes. */
export interface Check {
  /** Whether it holds. */
  readonly pass: boolean;
  /** Why it does not hold; when it does, why its opposite does not. */
  readonly message: () => string;
  /** The data behind the message. */
  readonly details: () => FailureDetails;
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
  /** Whether what is still to come cannot change it; by default when it holds. */
  readonly settled?: boolean;
  /** Why, when somebody asks. */
  readonly explain: () => Explanation;
}

/** Why an outcome is what it is. */
export interface Explanation {
  /** What was wanted, in a few words. */
  readonly expected: unknown;
  /** What was found, in a few words. */
  readonly actual: unknown;
  /** The message part by part, the summary first. */
  readonly sections: readonly (Section | undefined)[];
}

/** An outcome whose message is made when somebody asks for it. */
export function outcome({ kind, pass, settled = pass, explain }: OutcomeInit): Check {
  let made: { readonly message: string; readonly details: FailureDetails } | undefined;
  const make = () => {
    const { expected, actual, sections: all } = explain();
    const sections = all.filter((one) => one !== undefined && one.text !== "") as Section[];
    const message = sections.map(({ text }) => text).join("\n\n");
    const details = noteFailure({
      kind,
      summary: stripVTControlCharacters(sections[0]?.text ?? ""),
      message: stripVTControlCharacters(message),
      expected,
      actual,
      flows: sections.flatMap(({ flows = [] }) => flows),
      nearest: sections.flatMap(({ nearest = [] }) => nearest),
      advice: sections.flatMap(({ advice = [] }) => advice),
    });
    return { message, details };
  };
  return {
    pass,
    settled,
    message: () => (made ??= make()).message,
    details: () => (made ??= make()).details,
  };
}

/** Two spaces in front of every line. */
export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
