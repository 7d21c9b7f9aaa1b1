/**
 * Asymmetric matchers of test libraries, `expect.any(Number)`, `expect.stringContaining("a")`, and schemas: one value that stands for many.
 *
 * @module
 */
import process from "node:process";
import { describeSchema, isSchema, schemaAccepts } from "./schema.ts";

/** An asymmetric matcher of any library, as one form. */
export interface Asymmetric {
  /** Such as `Any<Number>`. */
  readonly text: string;
  /** Whether it accepts the value. */
  accepts(value: unknown): boolean;
}

/** vitest, jest and Bun have `asymmetricMatch`; the classes of @std/expect have `equals` and `inverse`. */
interface Loose {
  asymmetricMatch?(value: unknown): boolean;
  equals?(value: unknown): boolean;
  toAsymmetricMatcher?(): string;
  readonly inverse?: boolean;
  readonly value?: unknown;
}

/** The asymmetric matcher, or the schema, that a value is, if it is one. */
export function asAsymmetric(value: unknown): Asymmetric | undefined {
  if (isSchema(value)) return { text: describeSchema(value), accepts: (actual) => schemaAccepts(value, actual) };
  if (typeof value !== "object" || value === null) return undefined;
  const loose = value as Loose;
  if (typeof loose.asymmetricMatch === "function") {
    return { text: textOf(loose), accepts: (actual) => Boolean(loose.asymmetricMatch!(actual)) };
  }
  if (typeof loose.equals === "function" && "inverse" in loose) {
    return { text: textOf(loose), accepts: (actual) => Boolean(loose.equals!(actual)) };
  }
  return nativeOfBun(value);
}

interface BunTest {
  expect(value: unknown): { toEqual(expected: unknown): void };
}

/** Bun's own asymmetric matchers have no method at all: nothing but its `expect` can ask them. */
function nativeOfBun(value: object): Asymmetric | undefined {
  const [, name] = /^\[object Expect([A-Z]\w*)\]$/.exec(Object.prototype.toString.call(value)) ?? [];
  const bun = name && (process.getBuiltinModule("bun:test") as unknown as BunTest | undefined);
  if (!bun) return undefined;
  return {
    text: name,
    accepts: (actual) => {
      try {
        bun.expect(actual).toEqual(value);
        return true;
      } catch {
        return false;
      }
    },
  };
}

function textOf(matcher: Loose): string {
  if (typeof matcher.toAsymmetricMatcher === "function") return matcher.toAsymmetricMatcher();
  const name = `${matcher.inverse ? "not " : ""}${matcher.constructor.name}`;
  const { value } = matcher;
  if (value === undefined) return name;
  return `${name}<${typeof value === "function" ? value.name : JSON.stringify(value)}>`;
}
