/**
 * What a server answers by now, compared with what is on the tape.
 *
 * @module
 */
import { pathTest } from "../../flow/json_path.ts";
import { isJson } from "../../flow/media_type.ts";
import type { FlowError } from "../../flow/flow_error.ts";
import type { FlowHeaders } from "../../flow/headers.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { Comparison } from "../../flow/matcher/types.ts";
import { renderComparisons } from "../../flow/near_miss.ts";
import type { FlowResponse } from "../../flow/response.ts";
import type { TapeEntry } from "../entry.ts";
import type { Redactor } from "../redact/redactor.ts";
import { compareShapes } from "./shape.ts";

/** An answer that is not any more what was recorded. */
export class Drift {
  /** The flow that was answered from the tape. */
  readonly flow: HttpFlow;
  /** What it was answered with. */
  readonly entry: TapeEntry;
  /** What differs: `status`, `headers.content-type`, `json.items[*].id`, `error`. Each `expected` is recorded, `actual` is of now. */
  readonly differences: readonly Comparison[];
  readonly #title: string;

  /**
   * For mode `verify`.
   *
   * @param title the request, without credentials
   */
  constructor(flow: HttpFlow, entry: TapeEntry, differences: readonly Comparison[], title: string) {
    this.flow = flow;
    this.entry = entry;
    this.differences = differences;
    this.#title = title;
  }

  /** The request, and what differs, line by line. */
  toString(): string {
    return `${this.#title} (entry ${this.entry.index}; - recorded, + now)\n${renderComparisons(this.differences)}`;
  }
}

/** One side of the comparison. */
export interface Answer {
  readonly response: FlowResponse | undefined;
  readonly error: FlowError | undefined;
}

/** How answers are compared. */
export interface CompareAnswersOptions {
  /** Names of header fields and places in JSON. */
  readonly ignore: readonly string[];
  readonly redactor: Redactor;
}

/** Status, header fields and the shape of JSON: what differs. */
export function compareAnswers(recorded: Answer, live: Answer, options: CompareAnswersOptions): Comparison[] {
  if (recorded.error !== undefined || live.error !== undefined) {
    if (recorded.error !== undefined && live.error !== undefined) return [];
    const code = (answer: Answer) => answer.error?.code ?? `an answer (${answer.response?.status})`;
    return [{ field: "error", expected: code(recorded), actual: code(live), matches: false }];
  }
  const [before, now] = [recorded.response!, live.response!];
  return [
    ...different("status", String(before.status), String(now.status)),
    ...compareHeaders(before.headers, now.headers, options),
    ...compareBodies(before, now, options),
  ];
}

function different(field: string, expected: string | undefined, actual: string | undefined): Comparison[] {
  return expected === actual ? [] : [{ field, expected: expected ?? "absent", actual, matches: false }];
}

function compareHeaders(before: FlowHeaders, now: FlowHeaders, { ignore, redactor }: CompareAnswersOptions) {
  const ignored = new Set(ignore.map((name) => name.toLowerCase()));
  const names = new Set(Array.from([...before, ...now], ([name]) => name.toLowerCase()));
  return [...names].filter((name) => !ignored.has(name) && !VOLATILE.test(name)).sort().flatMap((name) => {
    const shown = (headers: FlowHeaders) =>
      headers.has(name) ? redactor.header(name, headers.getAll(name).join(", ")) : undefined;
    const [a, b] = [shown(before), shown(now)];
    if (a !== undefined && b !== undefined && !COMPARED.test(name)) return [];
    const quoted = (text: string | undefined) => text === undefined ? undefined : JSON.stringify(text);
    return different(`headers.${name}`, quoted(a && normalValue(a)), quoted(b && normalValue(b)));
  });
}

/** Fields whose values count. Of others it counts that they are there. */
const COMPARED = /^(?:content-type|allow|accept-patch|accept-post|access-control-.*|content-disposition)$/;

/** Fields that come and go: of connections, caches, single answers, and the machinery in front of a server. */
const VOLATILE = new RegExp(
  "^(?:age|alt-svc|cache-status|cf-.*|connection|content-encoding|content-length|date|etag|expires|keep-alive|last-modified|nel|" +
    "pragma|proxy-connection|report-to|server|server-timing|set-cookie|strict-transport-security|transfer-encoding|vary|via|" +
    "x-amz-.*|x-amzn-.*|x-cache.*|x-envoy-.*|x-powered-by|x-response-time|x-runtime|x-served-by|x-timer|x-varnish|x-xss-protection|" +
    "(?:[a-z-]*-)?(?:request|correlation|trace|transaction)-?id|traceparent|tracestate)$",
);

function normalValue(value: string): string {
  return value.toLowerCase().replace(/\s*([;,=])\s*/g, "$1").replace(/;boundary=[^;]*/, "");
}

function compareBodies(before: FlowResponse, now: FlowResponse, { ignore }: CompareAnswersOptions): Comparison[] {
  if (!isJson(before.headers.get("content-type")) || !isJson(now.headers.get("content-type"))) return [];
  const [a, b] = [jsonOf(before), jsonOf(now)];
  if (a === undefined) return [];
  if (b === undefined) return different("json", "JSON", "not JSON");
  return compareShapes(a.value, b.value, pathTest(ignore));
}

function jsonOf(response: FlowResponse): { readonly value: unknown } | undefined {
  try {
    return { value: response.json() };
  } catch {
    // Empty, as that of HEAD, or damaged.
    return undefined;
  }
}
