/**
 * From a tree to a matcher.
 *
 * @module
 */
import type { Flow } from "../flow.ts";
import { all, any, not } from "../matcher/combine.ts";
import { describeValue, shorten } from "../matcher/describe.ts";
import type { CompiledMatcher } from "../matcher/types.ts";
import { BodyIncompleteError } from "../message.ts";
import { redactText } from "../sensitive.ts";
import type { Expression, Term } from "./expression.ts";
import { FILTER_OPERATORS } from "./operators.ts";
import { print } from "./print.ts";
import { compileRegExp, type Pattern } from "./regexp.ts";
import { type Subject, SUBJECTS, type Subjects, TESTS } from "./subjects.ts";

/** A matcher that says what an expression says. The expression has been checked. */
export function toMatcher(expression: Expression): CompiledMatcher {
  switch (expression.kind) {
    case "and":
      return all(...expression.parts.map(toMatcher));
    case "or":
      return any(...expression.parts.map(toMatcher));
    case "not":
      return not(toMatcher(expression.inner));
    case "term":
      return termMatcher(expression);
  }
}

function termMatcher(term: Term): CompiledMatcher {
  const { operator, argument = "" } = term;
  const test = TESTS[operator];
  if (test !== undefined) {
    const matcher = single(term, test, (flow) => test(flow) ? "yes" : "no");
    // A rule applies to raw conversations only where they are named.
    return operator === "tcp" ? { ...matcher, ...{ tcp: true } } : matcher;
  }
  if (operator === "c") return statusMatcher(term, Number(argument));
  if (operator === "m" && METHODS.includes(argument.toUpperCase())) return methodMatcher(term, argument.toUpperCase());
  const pattern = compileRegExp(argument, FILTER_OPERATORS[operator]!.flags) as Pattern;
  const subjects = SUBJECTS[operator]!;
  return single(term, (flow) => foundIn(subjects(flow), pattern), (flow) => shown(subjects, flow));
}

function statusMatcher(term: Term, status: number): CompiledMatcher {
  return single(
    term,
    (flow) => flow.type === "http" && flow.response?.status === status,
    (flow) => flow.type === "http" && flow.response !== undefined ? String(flow.response.status) : undefined,
  );
}

/** The name of a method is taken for that method: so rules with it can be found by an index. */
function methodMatcher(term: Term, method: string): CompiledMatcher {
  const matcher = single(
    term,
    (flow) => flow.type === "http" && flow.request.method.toUpperCase() === method,
    (flow) => flow.type === "http" ? flow.request.method : undefined,
  );
  return { ...matcher, key: { method } };
}

/** RFC 9110 and RFC 5789, and WebDAV (RFC 4918) as far as no name is a part of another. */
const METHODS: readonly string[] = [
  ...["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"],
  ...["PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE"],
];

/** The fields of near misses, as other matchers call them: what they say counts by it. */
const FIELDS: Readonly<Record<string, string>> = {
  b: "body",
  bq: "body",
  c: "status",
  d: "host",
  h: "headers",
  hq: "headers",
  http: "type",
  m: "method",
  tcp: "type",
  u: "url",
};

function single(
  term: Term,
  matches: (flow: Flow) => boolean,
  actual: (flow: Flow) => string | undefined,
): CompiledMatcher {
  const description = redactText(print(term));
  const field = FIELDS[term.operator] ?? `~${term.operator}`;
  return {
    description,
    matches,
    compare: (flow) => [{ field, expected: description, actual: actual(flow), matches: matches(flow) }],
  };
}

/** A body that has not arrived does not keep other texts from being looked into. */
function foundIn(subjects: readonly Subject[], pattern: Pattern): boolean {
  let waiting: BodyIncompleteError | undefined;
  for (const subject of subjects) {
    try {
      if (pattern.found(subject())) return true;
    } catch (error) {
      if (!(error instanceof BodyIncompleteError)) throw error;
      waiting = error;
    }
  }
  if (waiting !== undefined) throw waiting;
  return false;
}

/** What was looked into, without credentials and no longer than a person reads. */
function shown(subjects: Subjects, flow: Flow): string | undefined {
  const texts = subjects(flow).slice(0, 5).map((subject) => {
    try {
      return redactText(shorten(subject(), 200).trim());
    } catch {
      return "";
    }
  });
  const [first] = [...new Set(texts)].filter((text) => text !== "");
  return first === undefined ? undefined : /[\r\n]/.test(first) ? describeValue(first) : first;
}
