/**
 * Where two requests differ, in the words of the options that would let it not count.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { printJsonPath } from "../../flow/json_path.ts";
import { essence, isJson, parameter } from "../../flow/media_type.ts";
import type { FlowRequest } from "../../flow/request.ts";
import { looksLikeJson } from "../media.ts";
import { decodedBody } from "./body_signature.ts";
import { isDocument, normalizeDocument } from "./graphql.ts";
import type { Lesson } from "./learned.ts";
import type { MatchOptions } from "./match_options.ts";
import { partsOf } from "./multipart_signature.ts";
import { isVolatileField } from "./volatile.ts";

/** Every difference, each with the place where it was found. */
export function differencesOf(a: FlowRequest, b: FlowRequest, { headers }: MatchOptions, place: string): Lesson[] {
  const lessons: Lesson[] = [];
  const differ = (kind: Lesson["kind"], name: string, [before, now]: readonly [unknown, unknown]) =>
    lessons.push({ kind, name, place, before: show(before), now: show(now) });
  for (const [name, values] of differing(listsOf(a.query), listsOf(b.query))) differ("query", name, values);
  // By default no header counts: then there is nothing to ignore.
  const counts = (name: string) =>
    headers !== undefined && !isVolatileField(name) &&
    ("ignore" in headers || headers.some((one) => one.toLowerCase() === name));
  for (const [name, values] of differing(fieldsOf(a), fieldsOf(b))) if (counts(name)) differ("header", name, values);
  compareBodies(decodedBody(a), decodedBody(b), a.headers.get("content-type"), b.headers.get("content-type"), {
    path: [],
    differ,
  });
  return lessons;
}

interface BodyContext {
  readonly path: readonly string[];
  readonly differ: (kind: Lesson["kind"], name: string, values: readonly [unknown, unknown]) => void;
}

function compareBodies(a: Uint8Array, b: Uint8Array, typeA: string | null, typeB: string | null, context: BodyContext) {
  if (Buffer.compare(a, b) === 0) return;
  const { path, differ } = context;
  const form = "application/x-www-form-urlencoded";
  if (essence(typeA) === form && essence(typeB) === form) {
    const lists = [a, b].map((bytes) => listsOf(new URLSearchParams(Buffer.from(bytes).toString("utf8"))));
    for (const [name, values] of differing(lists[0]!, lists[1]!)) differ("body", nameOf([...path, name]), values);
    return;
  }
  if (parameter(typeA, "boundary") && parameter(typeB, "boundary")) {
    const [mine, theirs] = [partsOf(a, typeA), partsOf(b, typeB)];
    if (mine !== undefined && theirs !== undefined && mine.length === theirs.length) {
      for (const [i, part] of mine.entries()) {
        const other = theirs.find(({ name }, j) => name === part.name && (j === i || theirs[i]!.name !== part.name));
        const inner = { ...context, path: [...path, part.name] };
        if (other === undefined) differ("body", nameOf(inner.path), ["there", undefined]);
        else compareBodies(part.content, other.content, part.type, other.type, inner);
      }
      return;
    }
  }
  const values = [[a, typeA], [b, typeB]].map(([bytes, type]) => jsonOf(bytes as Uint8Array, type as string | null));
  if (values[0] !== undefined && values[1] !== undefined) {
    compareJson(values[0].value, values[1].value, context);
    return;
  }
  // A part can be ignored by its name; a body of text or bytes as a whole only.
  if (path.length > 0) differ("body", nameOf(path), [shown(a, typeA), shown(b, typeB)]);
  else differ("whole", "", [shown(a, typeA), shown(b, typeB)]);
}

function compareJson(a: unknown, b: unknown, context: BodyContext): void {
  const { path, differ } = context;
  if (Object.is(a, b)) return;
  const isList = Array.isArray(a) && Array.isArray(b) && a.length === b.length;
  if (!isList && !(isObject(a) && isObject(b))) {
    const same = typeof a === "string" && typeof b === "string" && path.at(-1) === "query" && isDocument(a) &&
      isDocument(b) &&
      normalizeDocument(a) === normalizeDocument(b);
    if (same) return;
    if (path.length === 0) differ("whole", "", [a, b]);
    else differ("body", nameOf(path), [a, b]);
    return;
  }
  const [mine, theirs] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])];
  const others = keys.filter((key) => JSON.stringify(mine[key]) !== JSON.stringify(theirs[key]));
  // Where every element has it, it is a matter of the elements and not of some of them.
  const every = isList && others.length === keys.length;
  for (const key of others) compareJson(mine[key], theirs[key], { ...context, path: [...path, every ? "*" : key] });
}

/** How an option names the place. */
function nameOf(path: readonly string[]): string {
  return printJsonPath(path);
}

function jsonOf(bytes: Uint8Array, type: string | null): { readonly value: unknown } | undefined {
  if (!isJson(type) && !looksLikeJson(bytes)) return undefined;
  try {
    return { value: JSON.parse(Buffer.from(bytes).toString("utf8")) };
  } catch {
    return undefined;
  }
}

function listsOf(pairs: Iterable<[string, string]>): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const [name, value] of pairs) lists.set(name, [...lists.get(name) ?? [], value]);
  return lists;
}

function fieldsOf({ headers }: FlowRequest): Map<string, string[]> {
  return listsOf(Array.from(headers, ([name, value]): [string, string] => [name.toLowerCase(), value]));
}

function* differing(a: Map<string, string[]>, b: Map<string, string[]>): Generator<[string, [unknown, unknown]]> {
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [mine, theirs] = [a.get(name), b.get(name)];
    if (JSON.stringify(mine) !== JSON.stringify(theirs)) yield [name, [mine?.join(", "), theirs?.join(", ")]];
  }
}

function shown(bytes: Uint8Array, type: string | null): unknown {
  const text = Buffer.from(bytes.subarray(0, 200)).toString("utf8");
  return text.includes("\ufffd") || text.includes("\0")
    ? `${bytes.length} bytes of ${essence(type) || "no type"}`
    : text;
}

function show(value: unknown): string {
  const text = value === undefined ? "absent" : JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
