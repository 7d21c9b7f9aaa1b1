/**
 * An alerter for words.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { describeValue } from "../flow/matcher/describe.ts";
import type { Alerter } from "./alerter.ts";
import { textOf } from "./text.ts";

/** Where {@linkcode keywordAlerter} looks. */
export interface KeywordOptions {
  /** `"request"`, `"response"`, or both: the default. */
  in?: "request" | "response" | "both";
}

/**
 * Finds words in the URL and body of requests and in the body of responses, of text. A string is found in any case; a regular
 * expression as it is.
 *
 * @example
 * ```ts
 * import { keywordAlerter, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   defaultAction: respond({ body: "Internal use only" }),
 *   alerter: keywordAlerter(["internal use", /\bTODO\b/]),
 * });
 * await proxy.fetch("http://shop.test/");
 * ```
 *
 * @throws {OptionsError} there is no word, or it is neither text nor a regular expression
 */
export function keywordAlerter(
  words: readonly (string | RegExp)[],
  options: KeywordOptions = {},
): Alerter {
  const patterns = compileWords(words, "keywordAlerter()");
  const { in: place = "both" } = options;
  if (!["request", "response", "both"].includes(place)) {
    throw new OptionsError(`in of keywordAlerter() is "request", "response" or "both", not ${describeValue(place)}`);
  }
  return ({ request, response }: HttpFlow) => [
    ...(place === "response" ? [] : found(patterns, `${request.url}\n${textOf(request)}`, "request")),
    ...(place === "request" || response === undefined ? [] : found(patterns, textOf(response), "response")),
  ];
}

/** A word and how it is found. */
export interface Word {
  readonly name: string;
  test(text: string): boolean;
}

/** Checks words and makes them ready. */
export function compileWords(words: readonly (string | RegExp)[], where: string): Word[] {
  if (!Array.isArray(words) || words.length === 0) {
    throw new OptionsError(`${where} takes an array of words or regular expressions, not ${describeValue(words)}`);
  }
  return words.map((word: unknown, i) => {
    if (typeof word === "string" && word !== "") {
      const lower = word.toLowerCase();
      return { name: JSON.stringify(word), test: (text) => text.toLowerCase().includes(lower) };
    }
    if (word instanceof RegExp) return { name: String(word), test: (text) => text.search(word) >= 0 };
    throw new OptionsError(`words[${i}] of ${where} is text or a regular expression, not ${describeValue(word)}`);
  });
}

function found(words: readonly Word[], text: string, where: string): string[] {
  if (text === "") return [];
  return words.filter((word) => word.test(text)).map(({ name }) => `the ${where} has ${name}`);
}
