/**
 * Fields of a tape that are not as they should be. Whoever knows the file and the entry makes an error of it.
 *
 * @module
 */
import { isObject, type Json, show } from "./har_read.ts";

/** A field of the wrong form. */
export class Wrong extends Error {
  readonly #field: string;
  readonly #code: string;

  /** @param message instead of the usual one, which says what is expected */
  constructor(field: string, value: unknown, expected: string, message?: string, code = "TAPE_DAMAGED") {
    super(
      message ??
        (value === undefined ? `is missing: ${expected} is expected` : `is ${show(value)}: ${expected} is expected`),
    );
    this.#field = field;
    this.#code = code;
  }

  /** The place and what is wrong there. */
  describe(place: string): string {
    return `${place}${this.#field === "" ? "" : `: ${this.#field}`} ${this.message}`;
  }

  /** The code of the error. */
  get code(): string {
    return this.#code;
  }
}

/** An object. @throws {Wrong} */
export function object(value: unknown, where: string): Json {
  if (!isObject(value)) throw new Wrong(where, value, "an object");
  return value;
}

/** A string. @throws {Wrong} */
export function string(value: unknown, where: string): string {
  if (typeof value !== "string") throw new Wrong(where, value, "a string");
  return value;
}

/** A string, or nothing. @throws {Wrong} */
export function optional(value: unknown, where: string): string | undefined {
  return value === undefined || value === null ? undefined : string(value, where);
}

/** One of some words. @throws {Wrong} */
export function word<T extends string>(value: unknown, where: string, ...words: readonly T[]): T {
  if (!words.includes(value as T)) throw new Wrong(where, value, words.map((it) => JSON.stringify(it)).join(" or "));
  return value as T;
}

/** A number that is not negative, or nothing. @throws {Wrong} */
export function optionalCount(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !(value >= 0)) throw new Wrong(where, value, "a number that is not negative");
  return value;
}

/** Base64. @throws {Wrong} */
export function base64(value: unknown, where: string): string {
  const text = string(value, where);
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)) throw new Wrong(where, text, "base64");
  return text;
}
