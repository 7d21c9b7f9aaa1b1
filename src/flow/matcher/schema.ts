/**
 * Schemas of any library that follows Standard Schema (standardschema.dev): zod, valibot, arktype and others.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import type { StandardSchema } from "./types.ts";

/** Something that a value has and a schema does not want. */
export interface SchemaIssue {
  /** In words. */
  readonly message: string;
  /** Where: the keys from the top. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Whether a value is a schema; those of arktype are functions. */
export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  const standard: unknown = (value as Partial<StandardSchema>)["~standard"];
  return typeof standard === "object" && standard !== null && "validate" in standard;
}

/** Such as `zod schema`. */
export function describeSchema(schema: StandardSchema): string {
  return `${String(schema["~standard"].vendor)} schema`;
}

/**
 * Whether a schema accepts a value.
 *
 * @throws {OptionsError} it is asynchronous
 */
export function schemaAccepts(schema: StandardSchema, value: unknown): boolean {
  return issuesOf(schema, value).length === 0;
}

/**
 * What a schema has against a value.
 *
 * @throws {OptionsError} it is asynchronous
 */
export function issuesOf(schema: StandardSchema, value: unknown): readonly SchemaIssue[] {
  const result = schema["~standard"].validate(value);
  if (typeof (result as Partial<Promise<unknown>> | null)?.then === "function") {
    (result as Promise<unknown>).then(undefined, () => {});
    throw new OptionsError(
      `the ${describeSchema(schema)} answers with a promise: a matcher must answer at once, so leave out what is ` +
        "asynchronous in it, and check that in the test",
    );
  }
  return (result as { readonly issues?: readonly SchemaIssue[] | undefined }).issues ?? [];
}
