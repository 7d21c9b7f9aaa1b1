/**
 * An alerter for what comes back.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { describeValue, shorten } from "../flow/matcher/describe.ts";
import { isJson } from "../flow/media_type.ts";
import type { FlowRequest } from "../flow/request.ts";
import { isSensitiveName, REDACTED } from "../flow/sensitive.ts";
import type { Alerter } from "./alerter.ts";
import { textOf } from "./text.ts";

/** Markup: a value with one of these that comes back as it was sent has not been escaped. */
const MARKUP = /[<>"'`]/;
/** So many values of one request are looked for. */
const MAX_VALUES = 200;
/** Shorter ones come back by chance. */
const MIN_LENGTH = 3;

/**
 * Finds values that came in with a request and come back in the body of its response, unescaped: what a page needs for cross-site
 * scripting. The values of query, form, JSON and cookies that hold markup (`<`, `>`, a quote) are looked for.
 *
 * @param values look for these instead, in whatever part of the request they are
 *
 * @example
 * ```ts
 * import { injectionAlerter, respond, startProxy } from "flowtape";
 *
 * await using proxy = await startProxy({
 *   defaultAction: respond((flow) => `<p>Nothing found for ${flow.request.query.get("q")}`),
 *   alerter: injectionAlerter(),
 * });
 * await proxy.fetch(`http://shop.test/search?q=${encodeURIComponent("<b>injected</b>")}`);
 * ```
 *
 * @throws {OptionsError} a value is no text
 */
export function injectionAlerter(values?: readonly string[]): Alerter {
  if (values !== undefined && (!Array.isArray(values) || values.some((it) => typeof it !== "string" || it === ""))) {
    throw new OptionsError(`injectionAlerter() takes an array of strings, not ${describeValue(values)}`);
  }
  return ({ request, response }: HttpFlow) => {
    const body = response === undefined ? "" : textOf(response);
    if (body === "") return [];
    const sent = valuesOf(request);
    const looked = values === undefined
      ? sent.filter(([, value]) => value.length >= MIN_LENGTH && MARKUP.test(value))
      : values.flatMap((value) => {
        const place = sent.find(([, it]) => it.includes(value))?.[0] ?? elsewhere(request, value);
        return place === undefined ? [] : [[place, value] as const];
      });
    return looked.filter(([, value]) => body.includes(value))
      .map(([place, value]) => `${place} comes back in the response: ${shown(place, value)}`);
  };
}

type Sent = readonly [place: string, value: string];

function valuesOf(request: FlowRequest): Sent[] {
  const sent: Sent[] = [];
  for (const [name, value] of request.query) sent.push([`the query parameter ${name}`, value]);
  for (const [name, value] of Object.entries(request.cookies)) sent.push([`the cookie ${name}`, decoded(value)]);
  try {
    const type = request.headers.get("content-type");
    if (isJson(type)) collect("the JSON", JSON.parse(textOf(request) || "null"), sent);
    else if (/form/i.test(type ?? "") && request.content.complete) {
      for (const [name, value] of request.form()) {
        if (typeof value === "string") sent.push([`the form field ${name}`, value]);
      }
    }
  } catch {
    // What is no form and no JSON has no values to look for.
  }
  return sent.slice(0, MAX_VALUES);
}

function collect(place: string, value: unknown, sent: Sent[]): void {
  if (sent.length >= MAX_VALUES) return;
  if (typeof value === "string") sent.push([place, value]);
  else if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      collect(Array.isArray(value) ? `${place}[${key}]` : `${place}.${key}`, member, sent);
    }
  }
}

function elsewhere(request: FlowRequest, value: string): string | undefined {
  if (decoded(request.path).includes(value)) return "the path";
  const field = request.headers.raw.find(([, it]) => it.includes(value));
  if (field !== undefined) return `the header ${field[0]}`;
  return textOf(request).includes(value) ? "the body" : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function shown(place: string, value: string): string {
  const name = place.split(/[ .]/).at(-1)!;
  return isSensitiveName(name) ? REDACTED : JSON.stringify(shorten(value, 80));
}
