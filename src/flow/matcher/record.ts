/**
 * Fields with names: query parameters, header fields, cookies, form fields.
 *
 * @module
 */
import type { HttpFlow } from "../http_flow.ts";
import { isSensitiveName, REDACTED } from "../sensitive.ts";
import { type BodyPart, formOf } from "./body_part.ts";
import { compareSchema } from "./compare_schema.ts";
import { describeValue } from "./describe.ts";
import type { Field } from "./field.ts";
import { isSchema, schemaAccepts } from "./schema.ts";
import { type MessageSide, missing, REQUEST } from "./side.ts";
import type { Comparison, RecordMatcher, StandardSchema, ValueMatcher } from "./types.ts";
import { compileValue } from "./value.ts";

/** Where a record of names and values is looked up. */
export type RecordPart = "query" | "headers" | "cookies" | "form";

/**
 * A field for every name of a record, or one for a schema of all of them.
 *
 * @param where for errors, such as `rules[0]`
 */
export function recordFields(
  part: RecordPart,
  record: RecordMatcher,
  where: string,
  side: MessageSide = REQUEST,
): Field[] {
  if (isSchema(record)) return [schemaField(part, record, side)];
  return Object.entries(record).map(([name, matcher]) => {
    const label = `${side.prefix}${part}.${name}`;
    const hidden = part === "cookies" || isSensitiveName(name);
    const wanted = compileValue(matcher as ValueMatcher, hidden ? "secret" : name, `${where}: ${label}`);
    const lookUp = lookUps[part];
    const length = Array.isArray(matcher) ? matcher.length : 1;
    return {
      matches: (flow) => {
        const { value } = lookUp(flow, side, name, length);
        return value !== undefined && wanted.matches(value);
      },
      compare: (flow): Comparison[] => {
        const { value, problem } = lookUp(flow, side, name, length);
        if (problem !== undefined) return [{ field: label, expected: wanted.text, actual: problem, matches: false }];
        const shown = lookUp(flow, side, name, 0).value ?? [];
        return [{ field: label, expected: wanted.text, actual: show(shown, hidden), matches: wanted.matches(value) }];
      },
    };
  });
}

function schemaField(part: RecordPart, schema: StandardSchema, side: MessageSide): Field {
  const field = `${side.prefix}${part}`;
  return {
    matches: (flow) => {
      const { value } = wholeOf(flow, side, part);
      return value !== undefined && schemaAccepts(schema, value);
    },
    compare: (flow) => {
      const { value, problem } = wholeOf(flow, side, part);
      if (problem !== undefined) return [{ field, expected: "a record", actual: problem, matches: false }];
      return compareSchema(schema, value, {
        field,
        name: part === "cookies" ? "cookie" : "",
        member: (key) => typeof key === "number" ? `[${key}]` : `.${key}`,
      });
    },
  };
}

type Values = readonly string[];

type LookUp = (flow: HttpFlow, side: MessageSide, name: string, length: number) => BodyPart<Values>;

const lookUps: Record<RecordPart, LookUp> = {
  query: ({ request }, _side, name) => ({ value: request.query.getAll(name) }),
  headers: (flow, side, name, length) => {
    const message = side.of(flow);
    if (message === undefined) return { problem: missing(flow) };
    return { value: headerValues(message.headers.getAll(name), length) };
  },
  cookies: (flow, side, name) => {
    const message = side.of(flow);
    if (message === undefined) return { problem: missing(flow) };
    const { cookies } = message;
    return { value: Object.hasOwn(cookies, name) ? [cookies[name]!] : [] };
  },
  form: ({ request }, _side, name) => {
    const form = formOf(request);
    return form.problem === undefined ? { value: form.value.get(name) ?? [] } : form;
  },
};

/** All names with their values, as a schema wants them. */
function wholeOf(flow: HttpFlow, side: MessageSide, part: RecordPart): BodyPart<Record<string, string | string[]>> {
  const message = side.of(flow);
  if (message === undefined) return { problem: missing(flow) };
  if (part === "query") return { value: grouped(flow.request.query) };
  if (part === "headers") {
    const names = new Set(message.headers.raw.map(([name]) => name.toLowerCase()));
    return { value: record(Array.from(names, (name) => [name, message.headers.getAll(name)])) };
  }
  if (part === "cookies") return { value: message.cookies };
  const form = formOf(flow.request);
  return form.problem === undefined ? { value: record(form.value) } : form;
}

function grouped(pairs: Iterable<readonly [string, string]>): Record<string, string | string[]> {
  const lists = new Map<string, string[]>();
  for (const [name, value] of pairs) lists.set(name, [...lists.get(name) ?? [], value]);
  return record(lists);
}

function record(lists: Iterable<readonly [string, string[]]>): Record<string, string | string[]> {
  return Object.fromEntries(Array.from(lists, ([name, values]) => [name, values.length === 1 ? values[0]! : values]));
}

/**
 * Several lines are the same as one line with commas (RFC 9110 section 5.3): either way of writing is found.
 *
 * @param length how many values are wanted; 0 gives the lines as they are
 */
function headerValues(lines: string[], length: number): string[] {
  if (lines.length === 0 || length === 0) return lines;
  if (length > 1) return lines.length === length ? lines : lines.join(",").split(",").map((value) => value.trim());
  return lines.length > 1 ? [...lines, lines.join(", ")] : lines;
}

function show(values: readonly string[], hidden: boolean): string | undefined {
  if (values.length === 0) return undefined;
  if (hidden) return REDACTED;
  return describeValue(values.length === 1 ? values[0] : values);
}
