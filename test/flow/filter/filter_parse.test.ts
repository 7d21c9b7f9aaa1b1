// The language: what is read as what, how it is written, and what is refused.
import { describe, expect, test } from "vitest";
import { combine, type Expression, type Term } from "../../../src/flow/filter/expression.ts";
import { FILTER_OPERATORS } from "../../../src/flow/filter/operators.ts";
import { parse } from "../../../src/flow/filter/parse.ts";
import { print } from "../../../src/flow/filter/print.ts";
import { SUBJECTS, TESTS } from "../../../src/flow/filter/subjects.ts";
import { filter, OptionsError } from "../../../src/mod.ts";

/** An expression, and its canonical form. */
const READ: [string, string][] = [
  ["~q", "~q"],
  ["  ~q\n", "~q"],
  ["orders", "~u orders"],
  ["'a b'", '~u "a b"'],
  ["404", "~u 404"],
  ["~m POST", "~m POST"],
  ["~c 0200", "~c 200"],
  ["~q ~c 10", "~q & ~c 10"],
  ["~q & ~c 10", "~q & ~c 10"],
  ["foobar ~h rex", "~u foobar & ~h rex"],
  ["~u 'foo ~u bar' ~u voing", '~u "foo ~u bar" & ~u voing'],
  [String.raw`~u 'foobar\"\''`, String.raw`~u "foobar\"'"`],
  [String.raw`~u "foo \'bar"`, `~u "foo 'bar"`],
  ["(~u foobar & ~h voing)", "~u foobar & ~h voing"],
  ["!~h test", "!~h test"],
  ["! ~h test", "!~h test"],
  ["!!~q", "!!~q"],
  ["!(~u test & ~h bar)", "!(~u test & ~h bar)"],
  ["~u foobar | ~h voing", "~u foobar | ~h voing"],
  ["~hq 'header: qvalue'", '~hq "header: qvalue"'],
  ["!~u a & ~u b", "!~u a & ~u b"],
  ["a & b | c & d", "~u a & ~u b | ~u c & ~u d"],
  ["a & (b | c)", "~u a & (~u b | ~u c)"],
  // Side by side is weaker than |, as in mitmproxy.
  ["a | b c", "(~u a | ~u b) & ~u c"],
  ["a b | c", "~u a & (~u b | ~u c)"],
  ["!a b", "!~u a & ~u b"],
  ["(a b)", "~u a & ~u b"],
  ["(a)(b)", "~u a & ~u b"],
  ["~u a (b | c)", "~u a & (~u b | ~u c)"],
  ["((a & b) & (c & d))", "~u a & ~u b & ~u c & ~u d"],
  ["a | (b | c)", "~u a | ~u b | ~u c"],
  ["(~q)", "~q"],
  ["~q|~s", "~q | ~s"],
  ["~c 200&~q", "~c 200 & ~q"],
  ['~u"a"', "~u a"],
  // Signs in a word are the regular expression's.
  ["a&b", "~u a&b"],
  ["~m GET|POST", "~m GET|POST"],
  ["~u !a", '~u "!a"'],
  ["~u a!b", "~u a!b"],
  [String.raw`~u \d+\.html$`, String.raw`~u \d+\.html$`],
  // In quotes a backslash is kept, but before a quote, a backslash and what is a control character.
  [String.raw`~u "\d+ \."`, String.raw`~u "\\d+ \\."`],
  [String.raw`~u "\\d+ "`, String.raw`~u "\\d+ "`],
  [String.raw`~b "a\tb"`, String.raw`~b "a\tb"`],
  ["~b 'a\nb'", String.raw`~b "a\nb"`],
  ['~u ""', '~u ""'],
  ["~u '&'", '~u "&"'],
  ["~comment шгн", "~comment шгн"],
];

test.each(READ)("%s is %s", (source, canonical) => {
  expect(print(parse(source))).toBe(canonical);
  expect(parse(canonical)).toEqual(parse(source));
  expect(filter(source).description).toBe(canonical);
});

/** An expression, where the caret is, how wide it is, and what is said. */
const REFUSED: [string, number, number, ...string[]][] = [
  ["", 0, 1, "it is empty: an operator such as ~m"],
  ["   ", 3, 1, "it is empty"],
  ["~b", 2, 1, "~b wants a regular expression behind it"],
  ["~b & ~q", 2, 1, "~b wants a regular expression behind it", 'written "&"'],
  ["~b ~q", 2, 1, "~b wants a regular expression"],
  ["(~b)", 3, 1, "~b wants a regular expression"],
  ["~c", 2, 1, "~c wants a number, such as ~c 404"],
  ["~c & ~q", 3, 1, "~c wants a number"],
  ["~c abc", 3, 1, "~c wants a number"],
  ["~c 4xx", 3, 2, "~c wants a number", '{ status: "4xx" }'],
  ['~c "404"', 3, 1, "~c wants a number"],
  ["~z x", 0, 2, "~z is not an operator; did you mean", "~all"],
  ["~q & ~hqs x", 5, 4, '~hqs is not an operator; did you mean "~hq"?'],
  ["~websoket", 0, 9, 'did you mean "~websocket"?'],
  ["~Q", 0, 2, '~Q is not an operator; did you mean "~q"?'],
  ["~", 0, 1, "~ is not an operator"],
  ["~udp", 0, 4, "~udp is not an operator here: there are HTTP and TCP flows alone"],
  ["~u/orders", 2, 1, "a space is expected behind ~u"],
  ["~u 'abc", 3, 1, "this quote is not closed: ' is expected"],
  ['~q & "abc', 5, 1, 'this quote is not closed: " is expected'],
  ["(~q", 0, 1, "this ( is not closed: ) is expected"],
  ["~q & (~s | ~e", 5, 1, "this ( is not closed"],
  ["~q)", 2, 1, "this ) closes nothing"],
  ["()", 1, 1, "there is ): an operator"],
  ["~q &", 4, 1, "it ends here: an operator"],
  ["~q & | ~s", 5, 1, "there is |: an operator"],
  ["& ~s", 0, 1, "there is &: an operator"],
  ["!", 1, 1, "it ends here"],
  ["~q & & ~s", 5, 1, "there is &"],
  ["~h [", 3, 1, "it is not a regular expression:"],
  ["~u a ~u 'b('", 8, 4, "it is not a regular expression:", "\\ before them"],
  [String.raw`~u \Aabc`, 3, 5, "write ^ and $ instead of \\A and \\Z"],
  ["~u '(?P<a>b)'", 3, 10, "(?<name>"],
  ["~u '(?i)b'", 3, 7, "leave out flags"],
  ["~b '(a+)+b'", 3, 8, "may take for ever"],
  [String.raw`~b '(\w*)*'`, 3, 8, "may take for ever"],
  ["~b '([ab]+){2,}'", 3, 13, "may take for ever"],
  ["~u foo(bar)", 6, 1, "a word cannot hold (", "in quotes"],
  ["~u /~user", 4, 1, "a word cannot hold ~"],
  ['a"b"', 1, 1, 'a word cannot hold "'],
  // mitmproxy takes these signs for a part of the word, which nobody means.
  ["~u a|~u b", 4, 1, "a space is expected before |"],
  ["~m POST&(~q)", 7, 1, "a space is expected before &"],
];

describe("an expression that cannot be read", () => {
  test.each(REFUSED)("%s: the caret is at %i, %i wide", (source, column, width, ...texts) => {
    let error: unknown;
    try {
      filter(source);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OptionsError);
    const { message } = error as Error;
    for (const text of texts) expect(message).toContain(text);
    const [, shown, caret] = message.split("\n");
    expect(shown).toBe(`  ${source}`);
    expect(caret).toBe(`  ${" ".repeat(column)}${"^".repeat(width)}`);
  });

  test("a long one is shown around the place", () => {
    const source = `${"~q & ".repeat(100)}~nope x${" & ~q".repeat(100)}`;
    expect(() => filter(source)).toThrow(OptionsError);
    try {
      filter(source);
    } catch (error) {
      const [, shown = "", caret = ""] = (error as Error).message.split("\n");
      expect(shown.length).toBeLessThan(120);
      expect(shown.slice(caret.indexOf("^"), caret.lastIndexOf("^") + 1)).toBe("~nope");
    }
  });

  test.each([[undefined], [null], [7], [{}], [["~q"]]])("what is not text: %j", (value) => {
    expect(() => filter(value as unknown as string)).toThrow(/the argument of filter\(\) is/);
  });

  test("nested too deeply", () => {
    expect(() => filter(`${"(".repeat(100_000)}~q${")".repeat(100_000)}`)).toThrow(/nested deeper than/);
    expect(() => filter(`${"!".repeat(100_000)}~q`)).toThrow(/nested deeper than/);
    expect(filter(`${"!".repeat(100)}~q`).description).toContain("~q");
  });
});

test("a regular expression like (a+)b or (ab+)+ is none that is refused", () => {
  for (const source of ["'(a+)b'", "'(ab+)+'", "'(a+){2}'", "'[(a+)+]'", String.raw`'\(a+)+'`.replace(")", "\\)")]) {
    expect(() => filter(source), source).not.toThrow();
  }
});

test("every operator has one meaning", () => {
  const meant = ["c", ...Object.keys(SUBJECTS), ...Object.keys(TESTS)].toSorted();
  expect(meant).toEqual(Object.keys(FILTER_OPERATORS).toSorted());
  expect(Object.entries(FILTER_OPERATORS).filter(([name]) => name in TESTS).every(([, it]) => it.argument === "none"))
    .toBe(true);
});

test("any tree is printed, and parsed back to the same tree", () => {
  const random = generator(20261101);
  for (let i = 0; i < 3000; i++) {
    const tree = randomTree(random, 4);
    const text = print(tree);
    expect(parse(text), text).toEqual(tree);
    expect(print(parse(text))).toBe(text);
  }
});

test("any text is read, or refused with a place in it", () => {
  const random = generator(7);
  const pieces = [
    "~q",
    "~u",
    "~c",
    "~",
    "a",
    "4",
    " ",
    " ",
    "(",
    ")",
    "!",
    "&",
    "|",
    "'",
    '"',
    "\\",
    "[",
    "*",
    "\n",
    "é",
  ];
  for (let i = 0; i < 5000; i++) {
    const source = Array.from({ length: random(12) }, () => pieces[random(pieces.length)]).join("");
    try {
      const tree = parse(source);
      expect(parse(print(tree)), source).toEqual(tree);
    } catch (error) {
      expect(error, JSON.stringify(source)).toBeInstanceOf(OptionsError);
      expect((error as Error).message.split("\n")[2], JSON.stringify(source)).toMatch(/^ +\^+$/);
    }
  }
});

/** Whole numbers below a bound, the same in every run. */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % bound;
  };
}

const ARGUMENTS = [
  "a",
  "POST",
  "a b",
  "&",
  "|x",
  "x|",
  "!",
  "'",
  '"',
  "\\d+",
  "\\.",
  "\\\\",
  "",
  "é",
  "\n\t",
  "~q",
  "\\(",
];

function randomTree(random: (bound: number) => number, depth: number): Expression {
  const kind = depth === 0 ? 0 : random(4);
  if (kind === 1) return { kind: "not", inner: randomTree(random, depth - 1) };
  if (kind === 2 || kind === 3) {
    const parts = Array.from({ length: 2 + random(3) }, () => randomTree(random, depth - 1));
    return combine(kind === 2 ? "and" : "or", parts);
  }
  const names = Object.keys(FILTER_OPERATORS);
  const operator = names[random(names.length)]!;
  const { argument } = FILTER_OPERATORS[operator]!;
  if (argument === "none") return { kind: "term", operator };
  const text = argument === "number" ? String(random(600)) : ARGUMENTS[random(ARGUMENTS.length)]!;
  return { kind: "term", operator, argument: text } satisfies Term;
}
