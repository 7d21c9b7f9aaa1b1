/**
 * From text to a tree.
 *
 * @module
 */
import { didYouMean } from "../suggest.ts";
import { combine, type Expression } from "./expression.ts";
import { FILTER_OPERATORS, type FilterOperator } from "./operators.ts";
import { problem } from "./problem.ts";
import { compileRegExp } from "./regexp.ts";
import { type Token, Tokenizer } from "./tokens.ts";

/** How deep an expression may be nested. */
const MAX_DEPTH = 200;

/**
 * Parses a filter expression, and checks what stands in it.
 *
 * @throws {OptionsError} shows the place, and says what was expected
 */
export function parse(source: string): Expression {
  const parser = new Parser(source);
  const expression = parser.sequence(0);
  parser.end();
  return expression;
}

class Parser {
  readonly #tokens: Tokenizer;

  constructor(source: string) {
    this.#tokens = new Tokenizer(source);
  }

  /** What stands side by side: weaker than everything else, as in mitmproxy. */
  sequence(depth: number): Expression {
    const parts = [this.#or(depth)];
    while (startsOperand(this.#tokens.peek())) parts.push(this.#or(depth));
    return combine("and", parts);
  }

  end(): void {
    const token = this.#tokens.peek();
    if (token.kind !== "end") {
      throw this.#problem(token, `this ) closes nothing: & or | and another operand is expected`);
    }
  }

  #or(depth: number): Expression {
    const parts = [this.#and(depth)];
    while (this.#tokens.peek().kind === "|") parts.push(this.#behind(() => this.#and(depth)));
    return combine("or", parts);
  }

  #and(depth: number): Expression {
    const parts = [this.#not(depth)];
    while (this.#tokens.peek().kind === "&") parts.push(this.#behind(() => this.#not(depth)));
    return combine("and", parts);
  }

  #behind(read: () => Expression): Expression {
    this.#tokens.take(this.#tokens.peek());
    return read();
  }

  #not(depth: number): Expression {
    const token = this.#tokens.peek();
    if (depth > MAX_DEPTH) throw this.#problem(token, `it is nested deeper than ${MAX_DEPTH} levels`);
    if (token.kind === "!") {
      this.#tokens.take(token);
      return { kind: "not", inner: this.#not(depth + 1) };
    }
    if (token.kind === "(") return this.#group(token, depth);
    if (token.kind === "operator") return this.#term(token);
    if (token.kind === "word" || token.kind === "quoted") return this.#url(token);
    throw this.#problem(token, `${this.#found(token)}: ${OPERAND} is expected`);
  }

  #group(open: Token, depth: number): Expression {
    this.#tokens.take(open);
    const inner = this.sequence(depth + 1);
    const close = this.#tokens.peek();
    if (close.kind !== ")") throw this.#problem(open, "this ( is not closed: ) is expected at the end");
    this.#tokens.take(close);
    return inner;
  }

  #term(token: Token): Expression {
    const operator = this.#operator(token);
    this.#tokens.take(token);
    if (operator.argument === "none") return { kind: "term", operator: token.text };
    if (operator.argument === "number") return this.#number(token);
    const argument = this.#tokens.peekArgument();
    if (argument === undefined) {
      throw this.#problem(
        { start: token.end, end: token.end + 1 },
        `~${token.text} wants a regular expression behind it; one that is & or | alone is written "&"`,
      );
    }
    this.#tokens.take(argument);
    this.#check(argument, operator);
    return { kind: "term", operator: token.text, argument: argument.text };
  }

  #operator(token: Token): FilterOperator {
    const { text } = token;
    const operator = Object.hasOwn(FILTER_OPERATORS, text) ? FILTER_OPERATORS[text]! : undefined;
    if (operator === undefined) {
      if (text === "udp" || text === "dns") {
        throw this.#problem(token, `~${text} is not an operator here: there are HTTP and TCP flows alone`);
      }
      const names = Object.keys(FILTER_OPERATORS).map((name) => `~${name}`);
      throw this.#problem(
        token,
        `~${text} is not an operator${didYouMean(`~${text}`, names)} (${names.join(" ")} are; a ~ in a regular ` +
          "expression is written in quotes)",
      );
    }
    const next = this.#tokens.source[token.end];
    if (next !== undefined && !/[\s()!&|'"~]/.test(next)) {
      throw this.#problem({ start: token.end, end: token.end + 1 }, `a space is expected behind ~${text}`);
    }
    return operator;
  }

  // Operators may follow at once: `~c 200&~q`.
  #number(token: Token): Expression {
    const start = this.#tokens.place;
    const digits = /\d+/y;
    digits.lastIndex = start;
    const found = digits.exec(this.#tokens.source)?.[0] ?? "";
    const end = start + found.length;
    const next = this.#tokens.source[end];
    if (found === "" || next !== undefined && !/[\s()!&|~]/.test(next)) {
      throw this.#problem(
        { start, end: end + 1 },
        `~${token.text} wants a number, such as ~c 404 (a class is written as a matcher: { status: "4xx" })`,
      );
    }
    this.#tokens.take({ start, end });
    return { kind: "term", operator: token.text, argument: String(Number(found)) };
  }

  /** A regular expression alone is looked for in the URL. */
  #url(token: Token): Expression {
    this.#tokens.take(token);
    this.#check(token, FILTER_OPERATORS["u"]!);
    return { kind: "term", operator: "u", argument: token.text };
  }

  #check(token: Token, { flags }: FilterOperator): void {
    const result = compileRegExp(token.text, flags);
    if (typeof result === "string") throw this.#problem(token, result);
  }

  #found(token: Token): string {
    if (token.kind === "end") {
      return token.start === 0 || this.#tokens.source.trim() === "" ? "it is empty" : "it ends here";
    }
    return `there is ${token.text}`;
  }

  #problem(span: { start: number; end: number }, message: string): Error {
    return problem(this.#tokens.source, span, message);
  }
}

const OPERAND = "an operator such as ~m, a regular expression for the URL, ! or (";

function startsOperand({ kind }: Token): boolean {
  return kind !== "end" && kind !== ")" && kind !== "&" && kind !== "|";
}
