/**
 * Two requests compared part by part, such as a recorded one and a live one.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { essence, isText } from "./media_type.ts";
import { type BodyPart, bytesOf, formOf, jsonOf, textOf } from "./matcher/body_part.ts";
import { describeValue } from "./matcher/describe.ts";
import { excerpts } from "./matcher/excerpt.ts";
import { compareJson } from "./matcher/json.ts";
import type { Comparison } from "./matcher/types.ts";
import { BodyIncompleteError } from "./message.ts";
import type { FlowRequest } from "./request.ts";
import { redactText } from "./sensitive.ts";

/** What {@linkcode compareRequests} looks at besides method, address, query and body. */
export interface CompareOptions {
  /** Header fields to compare; none by default. */
  headers?: readonly string[];
}

/**
 * Every part of two requests: method, scheme, host, port, path, each query parameter, the named headers, and the body
 * down to the JSON path or form field that differs. What only one of them has is a difference.
 */
export function compareRequests(
  wanted: FlowRequest,
  actual: FlowRequest,
  options: CompareOptions = {},
): Comparison[] {
  return [
    plain("method", wanted.method, actual.method),
    plain("scheme", wanted.scheme, actual.scheme),
    plain("host", wanted.hostname, actual.hostname),
    plain("port", String(wanted.port), String(actual.port)),
    plain("path", wanted.path, actual.path),
    ...compareLists("query", groupOf(wanted.query), groupOf(actual.query)),
    ...(options.headers ?? []).map((name) => {
      const lower = name.toLowerCase();
      return list("headers", lower, wanted.headers.getAll(name), actual.headers.getAll(name));
    }),
    ...compareBodies(wanted, actual),
  ];
}

function plain(field: string, expected: string, actual: string): Comparison {
  return { field, expected, actual, matches: expected === actual };
}

function compareLists(part: string, wanted: Map<string, string[]>, actual: Map<string, string[]>): Comparison[] {
  const names = new Set([...wanted.keys(), ...actual.keys()]);
  return Array.from(names, (name) => list(part, name, wanted.get(name) ?? [], actual.get(name) ?? []));
}

function list(part: string, name: string, wanted: readonly string[], actual: readonly string[]): Comparison {
  const show = (values: readonly string[]) => describeValue(values.length === 1 ? values[0] : values, name);
  return {
    field: `${part}.${name}`,
    expected: wanted.length === 0 ? "absent" : show(wanted),
    actual: actual.length === 0 ? undefined : show(actual),
    matches: wanted.length === actual.length && wanted.every((value, i) => value === actual[i]),
  };
}

function groupOf(pairs: Iterable<[string, string]>): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) groups.set(name, [...groups.get(name) ?? [], value]);
  return groups;
}

function compareBodies(wanted: FlowRequest, actual: FlowRequest): Comparison[] {
  try {
    const [a, b] = [bytesOf(wanted), bytesOf(actual)];
    if (a.problem !== undefined || b.problem !== undefined) return [unreadable(a, b)];
    if (Buffer.compare(a.value, b.value) === 0) {
      return a.value.length === 0 ? [] : [{ field: "body", expected: "the same", actual: "the same", matches: true }];
    }
    return compareForms(wanted, actual) ?? compareJsonBodies(wanted, actual) ?? [compareContents(wanted, actual)];
  } catch (error) {
    if (!(error instanceof BodyIncompleteError)) throw error;
    return [{ field: "body", expected: "to be compared", actual: "has not arrived", matches: false }];
  }
}

function unreadable(wanted: BodyPart<unknown>, actual: BodyPart<unknown>): Comparison {
  const expected = wanted.problem ?? "a body that can be read";
  return { field: "body", expected, actual: actual.problem ?? "a body that can be read", matches: false };
}

function compareForms(wanted: FlowRequest, actual: FlowRequest): Comparison[] | undefined {
  const [a, b] = [formOf(wanted), formOf(actual)];
  return a.problem === undefined && b.problem === undefined ? compareLists("form", a.value, b.value) : undefined;
}

function compareJsonBodies(wanted: FlowRequest, actual: FlowRequest): Comparison[] | undefined {
  const [a, b] = [jsonOf(wanted), jsonOf(actual)];
  if (a.problem !== undefined || b.problem !== undefined) return undefined;
  return compareJson(a.value, b.value, { keys: "exact" });
}

function compareContents(wanted: FlowRequest, actual: FlowRequest): Comparison {
  const texts = [wanted, actual].map(readable);
  const [expected, found] = texts[0] !== undefined && texts[1] !== undefined
    ? excerpts(texts[0], texts[1])
    : [describeValue(wanted.body), describeValue(actual.body)];
  return { field: "body", expected, actual: actual.body.length === 0 ? undefined : found, matches: false };
}

/** The body in quotes, if it is text. */
function readable(request: FlowRequest): string | undefined {
  const type = request.headers.get("content-type");
  if (essence(type) !== "" && !isText(type)) return undefined;
  const { value } = textOf(request);
  return value === undefined || value.includes("\0") ? undefined : JSON.stringify(redactText(value));
}
