/**
 * Checks of options: each error names the option, its value, and what is accepted.
 *
 * @module
 */
import { OptionsError } from "../flow/error.ts";
import { didYouMean } from "../flow/suggest.ts";

/**
 * Checks one value.
 *
 * @throws {OptionsError} it is not accepted
 */
export type Check = (value: unknown, where: string) => void;

/** The largest delay of a timer, in milliseconds. */
export const MAX_MS: number = 2 ** 31 - 1;

/** An object whose members are checked one by one; every one may be missing, others are refused. */
export function shape(members: Readonly<Record<string, Check>>): Check {
  return (value, where) => {
    if (!isRecord(value)) refuse(value, where, "an object");
    for (const [name, member] of Object.entries(value)) {
      const place = where === "" ? name : `${where}.${name}`;
      const check = Object.hasOwn(members, name) ? members[name] : undefined;
      if (check === undefined) throw unknownOption(place, name, Object.keys(members));
      if (member !== undefined) check(member, place);
    }
  };
}

/** An object with any names and values of one kind. */
export function record(check: Check): Check {
  return (value, where) => {
    if (!isRecord(value)) refuse(value, where, "an object");
    for (const [name, member] of Object.entries(value)) check(member, `${where}[${JSON.stringify(name)}]`);
  };
}

/** A string that is not empty. */
export const text: Check = (value, where) => {
  if (typeof value !== "string" || value === "") refuse(value, where, "a string that is not empty");
};

/** A string that is not empty, and that no error shows. */
export const secret: Check = (value, where) => {
  if (typeof value === "string" && value !== "") return;
  const given = value === "" ? "empty" : value === null ? "null" : `of type ${typeof value}`;
  throw new OptionsError(`option ${where} is ${given}: a string that is not empty is accepted`);
};

/** `true` or `false`. */
export const flag: Check = (value, where) => {
  if (typeof value !== "boolean") refuse(value, where, "true or false");
};

/** One of some strings. */
export function oneOf(...accepted: readonly string[]): Check {
  return (value, where) => {
    if (!accepted.includes(value as string)) {
      refuse(value, where, accepted.map((it) => JSON.stringify(it)).join(" or "));
    }
  };
}

/** A whole number in a range. */
export function whole(min: number, max: number = Number.MAX_SAFE_INTEGER): Check {
  return (value, where) => {
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
      refuse(value, where, `a whole number ${range}`);
    }
  };
}

/** A list of values of one kind. */
export function list(check: Check): Check {
  return (value, where) => {
    if (!Array.isArray(value)) refuse(value, where, "an array");
    value.forEach((one, i) => check(one, `${where}[${i}]`));
  };
}

/** An error for a value. */
export function refuse(value: unknown, where: string, accepted: string): never {
  const what = where === "" ? "the options are" : `option ${where} is`;
  throw new OptionsError(`${what} ${show(value)}: ${accepted} is accepted`);
}

/** Whether a value is an object with members. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function unknownOption(place: string, name: string, names: string[]): OptionsError {
  return new OptionsError(`option ${place} is not known${didYouMean(name, names)} (${names.join(", ")} are accepted)`);
}

function show(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "symbol") return String(value);
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 80 ? `${shown.slice(0, 77)}...` : shown;
}
