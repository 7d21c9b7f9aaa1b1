/**
 * Fields for the body: text, bytes, JSON.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { FlowRequest } from "../request.ts";
import { redactText } from "../sensitive.ts";
import { type BodyPart, bytesOf, jsonOf, textOf } from "./body_part.ts";
import { describeValue, shorten } from "./describe.ts";
import { excerpts } from "./excerpt.ts";
import { type Field, field } from "./field.ts";
import { compareJson, matchesJson } from "./json.ts";
import { found } from "./value.ts";

/** The decoded body as text or bytes. */
export function bodyField(wanted: string | RegExp | Uint8Array): Field {
  if (wanted instanceof Uint8Array) {
    const matches = (request: FlowRequest) => {
      const { value } = bytesOf(request);
      return value !== undefined && Buffer.compare(value, wanted) === 0;
    };
    return field("body", describeValue(wanted), matches, showBytes);
  }
  const fits = typeof wanted === "string" ? (text: string) => text === wanted : (text: string) => found(wanted, text);
  const matches = ({ request }: { request: FlowRequest }) => {
    const { value } = textOf(request);
    return value !== undefined && fits(value);
  };
  return {
    matches,
    compare: ({ request }) => {
      const actual = showText(request);
      if (typeof wanted !== "string") {
        return [{
          field: "body",
          expected: String(wanted),
          actual: actual && shorten(actual),
          matches: matches({ request }),
        }];
      }
      const [expected, received] = excerpts(printable(wanted), actual ?? "");
      return [{ field: "body", expected, actual: actual && received, matches: matches({ request }) }];
    },
  };
}

/** The JSON body. */
export function jsonField(wanted: unknown): Field {
  return {
    matches: ({ request }) => {
      const body = jsonOf(request);
      return body.problem === undefined && matchesJson(wanted, body.value);
    },
    compare: ({ request }) => {
      const body = jsonOf(request);
      if (body.problem === undefined) return compareJson(wanted, body.value);
      return [{ field: "json", expected: describeValue(wanted), actual: body.problem, matches: false }];
    },
  };
}

function showText(request: FlowRequest): string | undefined {
  return shown(textOf(request), printable);
}

function showBytes(request: FlowRequest): string | undefined {
  return shown(bytesOf(request), (bytes) => describeValue(bytes));
}

function shown<T extends string | Uint8Array>(body: BodyPart<T>, show: (value: T) => string): string | undefined {
  if (body.problem !== undefined) return body.problem;
  return body.value.length === 0 ? undefined : show(body.value);
}

function printable(text: string): string {
  return JSON.stringify(redactText(text));
}
