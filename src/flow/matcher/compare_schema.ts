/**
 * What a schema does not accept, place by place.
 *
 * @module
 */
import { isSensitiveName, redactText } from "../sensitive.ts";
import { describeValue, shorten } from "./describe.ts";
import { describeSchema, issuesOf } from "./schema.ts";
import type { Comparison, StandardSchema } from "./types.ts";

/** More issues help nobody. */
const MAX_ISSUES = 20;

/**
 * What a schema has against a value, place by place.
 *
 * @param field the place of the value, such as `json`
 * @param name the name it stands under: the value of a sensitive one is not shown
 * @param member how a key is added to a place
 */
export function compareSchema(
  schema: StandardSchema,
  value: unknown,
  place: { readonly field: string; readonly name: string; readonly member: (key: string | number) => string },
): Comparison[] {
  const text = describeSchema(schema);
  const issues = issuesOf(schema, value);
  if (issues.length === 0) {
    return [{ field: place.field, expected: text, actual: describeValue(value, place.name), matches: true }];
  }
  return issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => {
    let { field, name } = place;
    let at = value;
    for (const step of path) {
      const key = typeof step === "object" ? step.key : step;
      field += place.member(typeof key === "symbol" ? String(key) : key);
      if (!isSensitiveName(name) && typeof key === "string") name = key;
      at = typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined;
    }
    // Some libraries repeat the value in what they say of it.
    const why = isSensitiveName(name) ? "another value" : shorten(redactText(String(message)), 300);
    const actual = at === undefined ? undefined : describeValue(at, name);
    return { field, expected: `${why} (${text})`, actual, matches: false };
  });
}
