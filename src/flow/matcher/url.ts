/**
 * Fields for the absolute URL as a whole.
 *
 * @module
 */
import { redactUrl } from "../sensitive.ts";
import { describeUrlPattern, shorten } from "./describe.ts";
import { type Field, field } from "./field.ts";
import type { UrlPattern } from "./types.ts";
import { found } from "./value.ts";

/** A regular expression, found anywhere in the URL. */
export function regExpField(expression: RegExp): Field {
  return field("url", String(expression), ({ url }) => found(expression, url), ({ url }) => shorten(redactUrl(url)));
}

/** A `URLPattern` of the platform or of a polyfill. */
export function urlPatternField(pattern: UrlPattern): Field {
  return field(
    "url",
    describeUrlPattern(pattern),
    ({ url }) => pattern.test(url),
    ({ url }) => shorten(redactUrl(url)),
  );
}
