/**
 * A filter expression in pieces: operators, words, text in quotes, and the signs `! & | ( )`.
 *
 * @module
 */
import { problem, type Span } from "./problem.ts";

/** A piece of an expression. */
export interface Token extends Span {
  /** A sign is its own kind. */
  readonly kind: "operator" | "word" | "quoted" | "!" | "&" | "|" | "(" | ")" | "end";
  /** The name of an operator, the content of quotes, otherwise as it stands there. */
  readonly text: string;
}

/** Reads one piece after the other. What the next piece is depends on what is wanted: `~u !x` looks for `!x`. */
export class Tokenizer {
  /** The expression. */
  readonly source: string;
  #at = 0;

  /** @param source the expression */
  constructor(source: string) {
    this.source = source;
  }

  /** The next piece where an operand, `!` or `(` can stand, and behind one; it is not taken. */
  peek(): Token {
    const start = this.#skip();
    const sign = this.source[start];
    if (sign === undefined) return { kind: "end", text: "", start, end: start };
    if (sign === "~") {
      const text = /[A-Za-z0-9_]*/y;
      text.lastIndex = start + 1;
      const [name] = text.exec(this.source)!;
      return { kind: "operator", text: name, start, end: start + 1 + name.length };
    }
    if (isSign(sign)) return { kind: sign, text: sign, start, end: start + 1 };
    return this.#text(start);
  }

  /** The argument of an operator, if there is one; it is not taken. */
  peekArgument(): Token | undefined {
    const start = this.#skip();
    const sign = this.source[start];
    if (sign === undefined || sign === "~" || sign === "(" || sign === ")") return undefined;
    // These alone are surely not what is looked for.
    if (/[&|](?:\s|$)/y.test(this.source.slice(start, start + 2))) return undefined;
    return this.#text(start);
  }

  /** Where the next piece begins. */
  get place(): number {
    return this.#skip();
  }

  /** Goes behind a piece. */
  take<T extends Span>(token: T): T {
    this.#at = token.end;
    return token;
  }

  #skip(): number {
    while (/\s/.test(this.source[this.#at] ?? "")) this.#at++;
    return this.#at;
  }

  #text(start: number): Token {
    const sign = this.source[start]!;
    if (sign === "'" || sign === '"') return this.#quoted(start, sign);
    const word = /[^()~'"\s]+/y;
    word.lastIndex = start;
    const [text] = word.exec(this.source)!;
    const end = start + text.length;
    const next = this.source[end];
    if (next !== undefined && !/[\s)]/.test(next)) throw this.#runOn({ start, end }, text, next);
    return { kind: "word", text, start, end };
  }

  /**
   * `\"`, `\'`, `\\`, `\n`, `\r`, `\t` and `\f` stand for one character. Before any other one the backslash is the regular expression's
   * own: nobody who writes "\d" looks for a d.
   */
  #quoted(start: number, mark: string): Token {
    let text = "";
    for (let at = start + 1; at < this.source.length; at++) {
      const sign = this.source[at]!;
      if (sign === mark) return { kind: "quoted", text, start, end: at + 1 };
      const escaped = sign === "\\" ? ESCAPES[this.source[at + 1] ?? ""] : undefined;
      text += escaped ?? sign;
      if (escaped !== undefined) at++;
    }
    throw problem(this.source, { start, end: start + 1 }, `this quote is not closed: ${mark} is expected at the end`);
  }

  /** A word ends where mitmproxy ends it, but what follows must not be taken for a part of it by those who read it. */
  #runOn(span: Span, text: string, next: string): Error {
    if (/[&|]$/.test(text)) {
      const place = { start: span.end - 1, end: span.end };
      const sign = text.at(-1)!;
      return problem(this.source, place, `a space is expected before ${sign}: without it, it is a part of the word`);
    }
    const place = { start: span.end, end: span.end + 1 };
    return problem(
      this.source,
      place,
      `a word cannot hold ${next}: a regular expression with ( ) ~ ' " or a space is written in quotes, a new operand begins ` +
        "after a space",
    );
  }
}

function isSign(sign: string): sign is "!" | "&" | "|" | "(" | ")" {
  return "!&|()".includes(sign);
}

const ESCAPES: Readonly<Record<string, string | undefined>> = {
  '"': '"',
  "'": "'",
  "\\": "\\",
  n: "\n",
  r: "\r",
  t: "\t",
  f: "\f",
};
