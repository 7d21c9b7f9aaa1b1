/**
 * A matcher from text: `"POST https://shop.test/orders/:id"`.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import { redactUrl } from "../sensitive.ts";
import { methodField } from "./address.ts";
import { fromFields } from "./field.ts";
import { urlFields } from "./url_pattern.ts";
import type { CompiledMatcher } from "./types.ts";

/** Compiles a string: a URL pattern, or a method (or several with `|` between) and a URL pattern. */
export function compileString(text: string, where: string): CompiledMatcher {
  const trimmed = text.trim();
  if (trimmed === "") {
    throw new OptionsError(
      `${where} is empty: write "*" for every request, or "/orders", "POST https://shop.test/orders"`,
    );
  }
  const [, methods, pattern] = /^(\S+)\s+(.+)$/s.exec(trimmed) ?? [];
  // White space after the start of a URL is not the one after a method.
  if (methods === undefined || pattern === undefined || methods.includes("/")) {
    return fromFields(redactUrl(trimmed), urlFields(trimmed, where));
  }
  checkMethods(methods, text, where);
  const fields = [methodField(methods.split("|")), ...urlFields(pattern, where)];
  return fromFields(`${methods} ${redactUrl(pattern)}`, fields);
}

function checkMethods(methods: string, text: string, where: string): void {
  if (/^[A-Z][A-Z0-9_-]*(?:\|[A-Z][A-Z0-9_-]*)*$/.test(methods)) return;
  const shown = JSON.stringify(redactUrl(text));
  const upper = methods.toUpperCase();
  if (/^[A-Z][A-Z0-9_|-]*[A-Z]$/.test(upper)) {
    throw new OptionsError(
      `${where}: ${shown} has the method ${JSON.stringify(methods)}: methods are upper case, write ${
        JSON.stringify(upper + redactUrl(text.trim().slice(methods.length)))
      }`,
    );
  }
  const hint = methods === "*"
    ? "leave it out for every method"
    : 'it is "METHOD url", such as "POST /orders" or "GET|HEAD /"';
  throw new OptionsError(`${where}: ${shown} does not start with a method: ${hint}`);
}
