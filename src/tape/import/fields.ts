/**
 * Fields of JSON and YAML documents in the forms that recorders give them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { base64, object, string, Wrong } from "../field.ts";
import { isObject } from "../har_read.ts";
import type { Field } from "./exchange.ts";

/** An array. @throws {Wrong} */
export function array(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Wrong(where, value, "an array");
  return value;
}

/** A whole number, also as text: in YAML it is not told apart. @throws {Wrong} */
export function whole(value: unknown, where: string): number {
  const number = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number)) throw new Wrong(where, value, "a whole number");
  return number;
}

/** Header fields: `{ name: value }`, `{ name: [value, value] }`; nothing where there are none. @throws {Wrong} */
export function fieldsOf(value: unknown, where: string): Field[] {
  if (value === undefined || value === null) return [];
  return Object.entries(object(value, where)).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((
      one,
      i,
    ): Field => [name, headerValue(one, `${where}.${name}[${i}]`)])
  );
}

/** Names and values by turns. @throws {Wrong} */
export function flatFieldsOf(values: readonly unknown[], where: string): Field[] {
  if (values.length % 2 !== 0) throw new Wrong(where, values.length, "a value behind every name");
  return Array.from({ length: values.length / 2 }, (_, i): Field => [
    string(values[2 * i], `${where}[${2 * i}]`),
    headerValue(values[2 * i + 1], `${where}[${2 * i + 1}]`),
  ]);
}

/** The first value of a field; `""` when there is none. */
export function valueOf(fields: readonly Field[], wanted: string): string {
  return fields.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
}

function headerValue(value: unknown, where: string): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  // PyYAML and Psych fold long values.
  return string(value ?? "", where).replace(/\r?\n\s*/g, " ");
}

/** Text or bytes; empty where nothing stands. @throws {Wrong} */
export function bytesOf(value: unknown, where: string, encoding: BufferEncoding = "utf8"): Uint8Array {
  if (value === undefined || value === null) return new Uint8Array(0);
  if (value instanceof Uint8Array) return value;
  return Buffer.from(string(value, where), encoding);
}

/** The bytes of base64. @throws {Wrong} */
export function base64Of(value: unknown, where: string): Uint8Array {
  return Buffer.from(
    base64(value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value, where),
    "base64",
  );
}

/** The bytes of hexadecimal digits; `undefined` when it is something else. */
export function hexOf(value: unknown): Uint8Array | undefined {
  return typeof value === "string" && /^(?:[0-9a-f]{2})*$/i.test(value) ? Buffer.from(value, "hex") : undefined;
}

/** Text as it is, everything else as JSON. */
export function textOrJson(value: unknown): Uint8Array {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
}

/** Whether a value is no object, or an empty one. */
export function isNothing(value: unknown): boolean {
  return value === undefined || value === null || (isObject(value) && Object.keys(value).length === 0);
}
