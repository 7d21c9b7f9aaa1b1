/**
 * Fields for the body of a message: text, bytes, JSON.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { HttpFlow } from "../http_flow.ts";
import type { Message } from "../message.ts";
import { redactText } from "../sensitive.ts";
import { asAsymmetric } from "./asymmetric.ts";
import { type BodyPart, bytesOf, jsonOf, textOf } from "./body_part.ts";
import { describeValue, shorten } from "./describe.ts";
import { excerpts } from "./excerpt.ts";
import type { Field } from "./field.ts";
import { compareJson, compareJsonTexts, matchesJson } from "./json.ts";
import { type MessageSide, missing, REQUEST } from "./side.ts";
import type { BodyMatcher } from "./types.ts";
import { found } from "./value.ts";

/** The decoded body as text or bytes. */
export function bodyField(wanted: BodyMatcher, side: MessageSide = REQUEST): Field {
  if (wanted instanceof Uint8Array) {
    const isThat = (bytes: Uint8Array) => Buffer.compare(bytes, wanted) === 0;
    return bodyFieldOf(side, bytesOf, isThat, (bytes) => [describeValue(wanted), bytes && describeValue(bytes)]);
  }
  if (typeof wanted === "string") {
    const field = bodyFieldOf(side, textOf, (text) => text === wanted, (text) => {
      const [expected, actual] = excerpts(printable(wanted), printable(text ?? ""));
      return [expected, text && actual];
    });
    const leaves = (flow: HttpFlow) => {
      const { value } = read(flow, side, textOf);
      return value === undefined || value === wanted
        ? undefined
        : compareJsonTexts(wanted, value, `${side.prefix}json`);
    };
    return { ...field, compare: (flow) => leaves(flow) ?? field.compare(flow) };
  }
  const asymmetric = asAsymmetric(wanted);
  const fits = asymmetric === undefined ? (text: string) => found(wanted as RegExp, text) : asymmetric.accepts;
  const expected = asymmetric?.text ?? String(wanted);
  return bodyFieldOf(side, textOf, fits, (text) => [expected, text && shorten(printable(text))]);
}

/** The JSON body. */
export function jsonField(wanted: unknown, side: MessageSide = REQUEST): Field {
  const name = `${side.prefix}json`;
  return {
    matches: (flow) => {
      const body = read(flow, side, jsonOf);
      return body.problem === undefined && matchesJson(wanted, body.value);
    },
    compare: (flow) => {
      const body = read(flow, side, jsonOf);
      if (body.problem === undefined) return compareJson(wanted, body.value, { root: name });
      return [{ field: name, expected: describeValue(wanted), actual: body.problem, matches: false }];
    },
  };
}

/** @param show what is wanted and what is there, for people; what is there is `undefined` when it is empty */
function bodyFieldOf<T extends string | Uint8Array>(
  side: MessageSide,
  get: (message: Message) => BodyPart<T>,
  matches: (value: T) => boolean,
  show: (value: T | undefined) => readonly [string, string | undefined],
): Field {
  const field = `${side.prefix}body`;
  return {
    matches: (flow) => {
      const { value } = read(flow, side, get);
      return value !== undefined && matches(value);
    },
    compare: (flow) => {
      const { value, problem } = read(flow, side, get);
      if (problem !== undefined) return [{ field, expected: show(undefined)[0], actual: problem, matches: false }];
      const [expected, actual] = show(value);
      return [{ field, expected, actual: value.length === 0 ? undefined : actual, matches: matches(value) }];
    },
  };
}

function read<T>(flow: HttpFlow, side: MessageSide, get: (message: Message) => BodyPart<T>): BodyPart<T> {
  const message = side.of(flow);
  return message === undefined ? { problem: missing(flow) } : get(message);
}

function printable(text: string): string {
  return JSON.stringify(redactText(text));
}
