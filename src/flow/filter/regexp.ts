/**
 * Regular expressions of filters: written for Python, or as if for it.
 *
 * @module
 */

/** Only so many characters of a text are looked at: what an expression costs may grow with the square of that, and faster. */
export const MAX_SUBJECT: number = 1024 * 1024;

/** A regular expression, ready to be used. */
export interface Pattern {
  /** As it was written. */
  readonly source: string;
  /** Whether it is found in a text, or in the first {@linkcode MAX_SUBJECT} characters of it. */
  found(text: string): boolean;
}

/** Compiles an expression. What cannot be is told as text. Case never counts. */
export function compileRegExp(source: string, flags = ""): Pattern | string {
  const plain = withoutText(source);
  const foreign = PYTHON.find(([sign]) => sign.test(plain));
  if (foreign !== undefined) return `it is not a regular expression of JavaScript: ${foreign[1]}`;
  if (NESTED.test(plain)) {
    return "this regular expression may take for ever: a repetition in a repetition, such as (a+)+, is the same as (a+)";
  }
  try {
    new RegExp(source, `i${flags}`);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^.*: /s, "") : String(error);
    return `it is not a regular expression: ${why}. Special characters that are meant as they stand have a \\ before them`;
  }
  // A search begins everywhere anyhow; with it, every search that fails takes the square of the length.
  const expression = new RegExp(source.replace(/^(?:\.\*\??)+(?![*+?{])/, ""), `i${flags}`);
  return {
    source,
    found: (text) => expression.test(text.length > MAX_SUBJECT ? text.slice(0, MAX_SUBJECT) : text),
  };
}

/** The structure of an expression: classes and escaped characters as one letter, but for the two escapes that Python alone has. */
function withoutText(source: string): string {
  return source.replace(/\\[^]|\[(?:\\[^]|[^\]\\])*\]/g, (piece) => piece === "\\A" || piece === "\\Z" ? piece : "x");
}

/** What only Python knows, and what JavaScript would silently take for something else. */
const PYTHON: readonly (readonly [RegExp, string])[] = [
  [/\(\?P[<=]/, "write (?<name>...) and \\k<name> instead of (?P<name>...) and (?P=name)"],
  [/\(\?[aiLmsux]+\)/, "case never counts; leave out flags such as (?i)"],
  [/\\[AZ]/, "write ^ and $ instead of \\A and \\Z"],
  [/\(\?#/, "it has no comments (?#...)"],
];

/** A group that holds nothing but one repetition, repeated: it can be read in exponentially many ways. */
const NESTED = /\((?:\?:)?[^\\()[\]|*+?{}][*+]\??\)(?:[*+]|\{\d+,\})/;
