/**
 * Messages of a WebSocket, and pieces of raw conversations: which of them are meant.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { OptionsError } from "../error.ts";
import { redactText } from "../sensitive.ts";
import { didYouMean } from "../suggest.ts";
import { asAsymmetric } from "./asymmetric.ts";
import { describeFunction, describeValue, isRegExp, shorten } from "./describe.ts";
import { excerpts } from "./excerpt.ts";
import { compareJson, compareJsonTexts, matchesJson } from "./json.ts";
import type { Comparison, MatchedMessage, MessageMatcher, MessageShape } from "./types.ts";
import { found } from "./value.ts";

/** A matcher of messages in its inner form. */
export interface CompiledMessage {
  /** One line for people. */
  readonly description: string;
  /** Whether it says yes. */
  matches(message: MatchedMessage): boolean;
  /** Part by part, why it says yes or no. */
  compare(message: MatchedMessage): Comparison[];
}

/** One part of a message. */
interface Part {
  matches(message: MatchedMessage): boolean;
  compare(message: MatchedMessage): Comparison[];
}

/**
 * Compiles a matcher of messages of any form.
 *
 * @param where its place for errors
 * @throws {OptionsError} names what is not accepted
 */
export function compileMessage(matcher: MessageMatcher, where: string): CompiledMessage {
  const parts = partsOf(matcher, where);
  return {
    description: describeMessage(matcher),
    matches: (message) => parts.every((part) => part.matches(message)),
    compare: (message) => parts.flatMap((part) => part.compare(message)),
  };
}

const PARTS: readonly string[] = ["from", "type", "text", "json", "data"] satisfies (keyof MessageShape)[];

function partsOf(given: MessageMatcher, where: string): Part[] {
  if (typeof given === "function" && asAsymmetric(given) === undefined) {
    return [askPart(given as (message: MatchedMessage) => boolean)];
  }
  if (given instanceof Uint8Array) return [dataPart(given)];
  if (isText(given)) return [textPart(given)];
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new OptionsError(
      `${where} is ${describeValue(given)}: text, a RegExp, bytes (Uint8Array), { ${
        PARTS.join(", ")
      } } or a function ` +
        "of the message is accepted",
    );
  }
  for (const key of Object.keys(given)) {
    if (PARTS.includes(key)) continue;
    throw new OptionsError(
      `${where}: ${JSON.stringify(key)} is not a part of a message${didYouMean(key, PARTS)} (${
        PARTS.join(", ")
      } are accepted)`,
    );
  }
  const { from, type, text, json, data } = given as MessageShape;
  return [
    ...(from === undefined ? [] : [wordPart("from", oneOf(from, ["client", "server"], `${where}: from`))]),
    ...(type === undefined ? [] : [wordPart("type", oneOf(type, ["text", "binary"], `${where}: type`))]),
    ...(text === undefined ? [] : [textPart(checkText(text, where))]),
    ...(json === undefined ? [] : [jsonPart(json)]),
    ...(data === undefined ? [] : [dataPart(checkData(data, where))]),
  ];
}

function wordPart(field: "from" | "type", wanted: string): Part {
  const matches = (message: MatchedMessage) => message[field] === wanted;
  return {
    matches,
    compare: (message) => [{ field, expected: wanted, actual: message[field], matches: matches(message) }],
  };
}

function textPart(wanted: TextMatcher): Part {
  const asymmetric = typeof wanted === "string" ? undefined : asAsymmetric(wanted);
  const fits = (text: string) =>
    asymmetric?.accepts(text) ?? (isRegExp(wanted) ? found(wanted, text) : text === wanted);
  return {
    matches: ({ text }) => fits(text),
    compare: ({ text }) => {
      const leaves = typeof wanted === "string" && text !== wanted ? compareJsonTexts(wanted, text, "json") : undefined;
      if (leaves !== undefined) return leaves;
      const [expected, actual] = typeof wanted === "string"
        ? excerpts(printable(wanted), printable(text))
        : [describeValue(wanted), shorten(printable(text), 300)];
      return [{ field: "text", expected, actual, matches: fits(text) }];
    },
  };
}

function jsonPart(wanted: unknown): Part {
  return {
    matches: ({ text }) => {
      const document = parse(text);
      return document !== undefined && matchesJson(wanted, document.value);
    },
    compare: ({ text }) => {
      const document = parse(text);
      if (document !== undefined) return compareJson(wanted, document.value);
      const actual = `not JSON: ${shorten(printable(text), 200)}`;
      return [{ field: "json", expected: describeValue(wanted), actual, matches: false }];
    },
  };
}

function dataPart(wanted: Uint8Array): Part {
  const fits = (data: Uint8Array) => Buffer.compare(data, wanted) === 0;
  return {
    matches: ({ data }) => fits(data),
    compare: ({ data }) => [{
      field: "data",
      expected: describeValue(wanted),
      actual: describeValue(data),
      matches: fits(data),
    }],
  };
}

function askPart(predicate: (message: MatchedMessage) => boolean): Part {
  const name = describeFunction(predicate);
  const ask = (message: MatchedMessage): boolean => {
    const answer: unknown = predicate(message);
    if (typeof answer === "object" && answer !== null && "then" in answer) {
      throw new OptionsError(`the function ${name} returned a promise: a matcher must answer at once`);
    }
    return Boolean(answer);
  };
  return {
    matches: ask,
    compare: (message) => [{ field: "function", expected: name, actual: String(ask(message)), matches: ask(message) }],
  };
}

type TextMatcher = NonNullable<MessageShape["text"]>;

function isText(value: unknown): value is TextMatcher {
  return typeof value === "string" || isRegExp(value) || asAsymmetric(value) !== undefined;
}

function checkText(value: unknown, where: string): TextMatcher {
  if (isText(value)) return value;
  throw new OptionsError(`${where}: text ${describeValue(value)} is not valid: a string or a RegExp is accepted`);
}

function checkData(value: unknown, where: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new OptionsError(`${where}: data ${describeValue(value)} is not valid: bytes (Uint8Array) are accepted`);
}

function oneOf(value: unknown, accepted: readonly string[], where: string): string {
  if (accepted.includes(value as string)) return value as string;
  throw new OptionsError(
    `${where} ${describeValue(value)} is not valid: ${accepted.map((one) => `"${one}"`).join(" or ")} is accepted`,
  );
}

function describeMessage(matcher: MessageMatcher): string {
  if (typeof matcher === "string") return shorten(printable(matcher), 300);
  const text = describeValue(
    typeof matcher === "object" && "text" in matcher && typeof matcher.text === "string"
      ? { ...matcher, text: redactText(matcher.text) }
      : matcher,
  );
  return text === "{}" ? "any message" : shorten(text, 300);
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  return JSON.stringify(redactText(text));
}
