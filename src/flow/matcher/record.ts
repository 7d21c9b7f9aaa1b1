/**
 * Fields with names: query parameters, header fields, cookies, form fields.
 *
 * @module
 */
import type { HttpFlow } from "../http_flow.ts";
import { isSensitiveName, REDACTED } from "../sensitive.ts";
import { type BodyPart, formOf } from "./body_part.ts";
import { describeValue } from "./describe.ts";
import type { Field } from "./field.ts";
import { compileValue } from "./value.ts";
import type { Comparison, ValueMatcher } from "./types.ts";

/** Where a record of names and values is looked up. */
export type RecordPart = "query" | "headers" | "cookies" | "form";

/**
 * A field for every name of a record.
 *
 * @param where for errors, such as `rules[0]`
 */
export function recordFields(part: RecordPart, record: Record<string, ValueMatcher>, where: string): Field[] {
  return Object.entries(record).map(([name, matcher]) => {
    const label = `${part}.${name}`;
    const hidden = part === "cookies" || isSensitiveName(name);
    const wanted = compileValue(matcher, hidden ? "secret" : name, `${where}: ${label}`);
    const lookUp = lookUps[part];
    const length = Array.isArray(matcher) ? matcher.length : 1;
    return {
      matches: (flow) => {
        const { value } = lookUp(flow, name, length);
        return value !== undefined && wanted.matches(value);
      },
      compare: (flow): Comparison[] => {
        const { value, problem } = lookUp(flow, name, length);
        if (problem !== undefined) return [{ field: label, expected: wanted.text, actual: problem, matches: false }];
        const shown = lookUp(flow, name, 0).value ?? [];
        return [{ field: label, expected: wanted.text, actual: show(shown, hidden), matches: wanted.matches(value) }];
      },
    };
  });
}

type LookUp = (flow: HttpFlow, name: string, length: number) => BodyPart<readonly string[]>;

const lookUps: Record<RecordPart, LookUp> = {
  query: ({ request }, name) => ({ value: request.query.getAll(name) }),
  headers: ({ request }, name, length) => ({ value: headerValues(request.headers.getAll(name), length) }),
  cookies: ({ request }, name) => {
    const { cookies } = request;
    return { value: Object.hasOwn(cookies, name) ? [cookies[name]!] : [] };
  },
  form: ({ request }, name) => {
    const form = formOf(request);
    return form.problem === undefined ? { value: form.value.get(name) ?? [] } : form;
  },
};

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
