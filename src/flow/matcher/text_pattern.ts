/**
 * Patterns for a piece of text: `*` is anything, `:name` one path segment.
 *
 * @module
 */

/** A pattern for one piece of text. */
export interface TextPattern {
  /** As it was written. */
  readonly source: string;
  /** The only text that it matches; `undefined` when there are several. */
  readonly exact: string | undefined;
  /** Whether the whole text fits. */
  test(text: string): boolean;
}

/** An escaped sign; anything; one segment (a colon after a letter or digit is a colon: `/v1/jobs:run`); other text. */
const TOKENS = /\\([*:\\])|(\*+)|(?<![A-Za-z0-9_]):([A-Za-z_]\w*)|[^]/g;

/** A pattern for a path. */
export function pathPattern(source: string): TextPattern {
  let exact = "";
  let expression = "";
  let literal = true;
  for (const [sign, escaped, star, name] of source.matchAll(TOKENS)) {
    if (star !== undefined || name !== undefined) literal = false;
    const text = escaped ?? sign;
    exact += text;
    expression += star !== undefined ? ".*" : name !== undefined ? "[^/]+" : quote(text);
  }
  return make(source, literal ? exact : undefined, expression);
}

/**
 * A pattern in which only `*` has a meaning.
 *
 * @param decode what becomes of the text between the stars
 */
export function globPattern(source: string, decode: (text: string) => string = (text) => text): TextPattern {
  const pieces = source.split(/\*+/).map(decode);
  return make(source, pieces.length === 1 ? pieces[0] : undefined, pieces.map(quote).join(".*"));
}

function make(source: string, exact: string | undefined, expression: string): TextPattern {
  if (exact !== undefined) return { source, exact, test: (text) => text === exact };
  if (expression === ".*") return { source, exact, test: () => true };
  const whole = new RegExp(`^${expression}$`, "s");
  return { source, exact, test: (text) => whole.test(text) };
}

function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
