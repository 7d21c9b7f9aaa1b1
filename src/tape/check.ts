/**
 * Checks of the options of a tape: each error names the option, its value, and what is accepted.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { compile } from "../flow/matcher/compile.ts";
import type { Matcher } from "../flow/matcher/types.ts";
import { didYouMean } from "../flow/suggest.ts";

/**
 * Checks one value.
 *
 * @throws {OptionsError} it is not accepted
 */
export type Check = (where: string, value: unknown) => void;

/** Refuses what is no object, and members that are not known. */
export function checkShape(where: string, value: unknown, members: Record<string, Check>): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) wrong(where, value, "an object");
  for (const [key, member] of Object.entries(value as object)) {
    const check = Object.hasOwn(members, key) ? members[key] : undefined;
    if (check === undefined) {
      const known = Object.keys(members);
      throw new OptionsError(`${where}.${key} is not an option: ${known.join(", ")} are${didYouMean(key, known)}`);
    }
    if (member !== undefined) check(`${where}.${key}`, member);
  }
}

/** An object whose members are checked one by one. */
export function shape(members: Record<string, Check>): Check {
  return (where, value) => checkShape(where, value, members);
}

/** One of some strings. */
export function oneOf(...accepted: readonly string[]): Check {
  return (where, value) => {
    if (accepted.includes(value as string)) return;
    const hint = typeof value === "string" ? didYouMean(value, accepted) : "";
    wrong(where, value, accepted.map((one) => JSON.stringify(one)).join(", "), hint);
  };
}

/** `true` or `false`. */
export function boolean(where: string, value: unknown): void {
  if (typeof value !== "boolean") wrong(where, value, "true or false");
}

/** A function. */
export function callable(where: string, value: unknown): void {
  if (typeof value !== "function") wrong(where, value, "a function");
}

/** The path of a file. */
export function nonEmptyString(where: string, value: unknown): void {
  if (typeof value !== "string" || value === "") wrong(where, value, 'the path of a file, such as "fixtures/a.har"');
}

/** A whole number. */
export function whole(min: number): Check {
  return (where, value) => {
    if (!Number.isSafeInteger(value) || (value as number) < min) {
      wrong(where, value, `a whole number of ${min} or more`);
    }
  };
}

/** Strings that are not empty. */
export function names(where: string, value: unknown): void {
  const fits = Array.isArray(value) && value.every((one) => typeof one === "string" && one !== "");
  if (!fits) wrong(where, value, "an array of names");
}

/** A matcher of any form. */
export function matcher(where: string, value: unknown): void {
  compile(value as Matcher, where);
}

/** Refuses an object that lacks a member. */
export function required(where: string, value: unknown, name: string, accepted: string): void {
  if ((value as Record<string, unknown>)[name] !== undefined) return;
  throw new OptionsError(`${where}.${name} is missing: ${accepted}`);
}

/** An error for a value. */
export function wrong(where: string, value: unknown, accepted: string, hint = ""): never {
  const shown = typeof value === "function" ? "a function" : JSON.stringify(value) ?? String(value);
  throw new OptionsError(`${where} is ${shown.slice(0, 80)}: ${accepted} is accepted${hint}`);
}
