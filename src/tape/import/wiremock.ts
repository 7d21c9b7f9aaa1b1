/**
 * Mappings of WireMock: a folder with `mappings/` and `__files/`, or one file. A mapping that is for one request becomes an entry.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { object, string, Wrong } from "../field.ts";
import { isObject, type Json } from "../har_read.ts";
import { type Collector, Inexact } from "./collector.ts";
import type { Exchange, Field, FieldNames } from "./exchange.ts";
import { base64Of, bytesOf, fieldsOf, isNothing, textOrJson, whole } from "./fields.ts";

/** A mapping, and where it stands. */
export interface PlacedMapping {
  readonly place: string;
  readonly mapping: unknown;
}

/** The files of `__files`. */
export type MockFiles = (name: string) => Uint8Array | undefined;

/** Reads mappings, in the order in which they were recorded. */
export function readWireMock(mappings: readonly PlacedMapping[], files: MockFiles, into: Collector): void {
  for (const { place, mapping } of ordered(mappings, into)) {
    into.add(place, NAMES, () => {
      const { request, response } = object(mapping, "");
      return exchangeOf(object(request, "request"), object(response, "response"), files, into, place);
    });
  }
}

/** The mappings in a document: one, or `{ mappings: [...] }`. */
export function mappingsOf(document: unknown, place: string): PlacedMapping[] {
  if (!isObject(document) || !Array.isArray(document.mappings)) return [{ place, mapping: document }];
  return document.mappings.map((mapping, i) => ({ place: `${place}: mappings[${i}]`, mapping }));
}

const NAMES: FieldNames = {
  method: "request.method",
  url: "request.url",
  requestHeaders: "request.headers",
  status: "response.status",
  reason: "response.statusMessage",
  responseHeaders: "response.headers",
};

/** Scenarios in the order of their states; the newest mapping of several for the same request, which is the one that WireMock serves. */
function ordered(all: readonly PlacedMapping[], into: Collector): PlacedMapping[] {
  const read = all.map((it) => {
    const { scenarioName, requiredScenarioState, newScenarioState, insertionIndex, priority, request } =
      isObject(it.mapping) ? it.mapping : {} as Json;
    return {
      ...it,
      scenario: typeof scenarioName === "string" ? scenarioName : undefined,
      from: typeof requiredScenarioState === "string" ? requiredScenarioState : STARTED,
      to: typeof newScenarioState === "string" ? newScenarioState : undefined,
      index: typeof insertionIndex === "number" ? insertionIndex : 0,
      priority: typeof priority === "number" ? priority : 5,
      request: JSON.stringify(request),
    };
  });
  // What was recorded first has the highest index.
  read.sort((a, b) => a.priority - b.priority || b.index - a.index);
  const shown = new Set<string>();
  const kept = read.filter(({ scenario, request, place }) => {
    if (scenario !== undefined || !shown.has(request)) return shown.add(request);
    into.note(place, "left out: another mapping is for the same request and goes before it");
    return false;
  });
  const steps = new Map<string, Map<string, number>>();
  for (const { scenario } of kept) {
    if (scenario === undefined || steps.has(scenario)) continue;
    steps.set(scenario, stepsOf(kept.filter((it) => it.scenario === scenario)));
  }
  const stepOf = ({ scenario, from }: (typeof kept)[number]) => steps.get(scenario ?? "")?.get(from) ?? Infinity;
  // Mappings of a scenario change places among themselves.
  const result = [...kept];
  for (const name of steps.keys()) {
    const places = kept.flatMap(({ scenario }, i) => scenario === name ? [i] : []);
    const sorted = places.map((i) => kept[i]!).sort((a, b) => stepOf(a) - stepOf(b));
    places.forEach((at, i) => result[at] = sorted[i]!);
  }
  return result;
}

/** How many steps each state is away from the first. */
function stepsOf(mappings: readonly { from: string; to: string | undefined }[]): Map<string, number> {
  const steps = new Map([[STARTED, 0]]);
  for (const [state, step] of steps) {
    for (const { from, to } of mappings) {
      if (from === state && to !== undefined && !steps.has(to)) steps.set(to, step + 1);
    }
  }
  return steps;
}

const STARTED = "Started";

function exchangeOf(request: Json, response: Json, files: MockFiles, into: Collector, place: string): Exchange {
  for (const name of Object.keys(request)) if (!KNOWN.has(name)) throw new Inexact(`request.${name} is a condition`);
  for (const name of ["proxyBaseUrl", "fault", "chunkedDribbleDelay"]) {
    if (!isNothing(response[name])) throw new Inexact(`response.${name} is no recorded answer`);
  }
  if (Array.isArray(response.transformers) && response.transformers.length > 0) {
    throw new Inexact("response.transformers makes an answer for each request");
  }
  const method = string(request.method ?? "ANY", "request.method").toUpperCase();
  if (method === "ANY") throw new Inexact("request.method is every method");
  const requestBody = requestBodyOf(request.bodyPatterns);
  if (requestBody.length === 0 && /^(?:POST|PUT|PATCH)$/.test(method)) {
    into.note(place, "it is for every body, and its entry for none: match: { body: false } replays it for every body");
  }
  return {
    method,
    url: urlOf(request, into.options.origin),
    requestHeaders: [
      ...exact(request.headers, "request.headers"),
      ...authOf(request.basicAuthCredentials),
      ...cookiesOf(exact(request.cookies, "request.cookies")),
    ],
    requestBody,
    status: whole(response.status ?? 200, "response.status"),
    reason: string(response.statusMessage ?? "", "response.statusMessage"),
    responseHeaders: fieldsOf(response.headers, "response.headers"),
    responseBody: responseBodyOf(response, files),
  };
}

const KNOWN = new Set([
  "method",
  "url",
  "urlPath",
  "queryParameters",
  "headers",
  "cookies",
  "basicAuthCredentials",
  "bodyPatterns",
  "host",
  "port",
  "scheme",
]);

function urlOf({ url, urlPath, queryParameters, host, port, scheme }: Json, given: string | undefined): string {
  const path = string(url ?? urlPath, "request.url");
  if (!path.startsWith("/")) throw new Wrong("request.url", path, "a path that begins with /");
  let origin = given?.replace(/\/$/, "");
  if (host !== undefined) {
    const name = isObject(host) ? equalTo(host, "request.host") : string(host, "request.host");
    origin = `${scheme ?? "https"}://${name}${port === undefined ? "" : `:${whole(port, "request.port")}`}`;
  }
  if (origin === undefined) {
    throw new Wrong(
      "request.host",
      undefined,
      "",
      'is missing: mappings of WireMock do not say where requests went: importTape(path, { origin: "https://api.test" })',
    );
  }
  const query = new URLSearchParams(
    exact(queryParameters, "request.queryParameters").map(([name, value]) => [name, value]),
  );
  const text = query.size === 0 ? "" : `${path.includes("?") ? "&" : "?"}${query}`;
  return origin + path + text;
}

/** Conditions that one value fulfils: `{ name: { equalTo } }`, `{ name: { hasExactly: [{ equalTo }] } }`. */
function exact(conditions: unknown, where: string): Field[] {
  if (conditions === undefined || conditions === null) return [];
  return Object.entries(object(conditions, where)).flatMap(([name, condition]) => {
    const list = isObject(condition) && Array.isArray(condition.hasExactly) ? condition.hasExactly : [condition];
    return list.map((one): Field => [name, equalTo(one, `${where}.${name}`)]);
  });
}

function equalTo(condition: unknown, where: string): string {
  const { equalTo, caseInsensitive, ...others } = object(condition, where);
  if (equalTo === undefined || Object.keys(others).length > 0) throw new Inexact(`${where} is for many values`);
  // A header field that is compared whatever its case is one all the same.
  void caseInsensitive;
  return string(equalTo, `${where}.equalTo`);
}

function authOf(credentials: unknown): Field[] {
  if (credentials === undefined || credentials === null) return [];
  const { username, password } = object(credentials, "request.basicAuthCredentials");
  return [["authorization", `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`]];
}

function cookiesOf(cookies: readonly Field[]): Field[] {
  return cookies.length === 0 ? [] : [["cookie", cookies.map(([name, value]) => `${name}=${value}`).join("; ")]];
}

function requestBodyOf(patterns: unknown): Uint8Array {
  if (patterns === undefined || patterns === null) return new Uint8Array(0);
  if (!Array.isArray(patterns)) throw new Wrong("request.bodyPatterns", patterns, "an array");
  if (patterns.length > 1) throw new Inexact("request.bodyPatterns has several conditions");
  if (patterns.length === 0) return new Uint8Array(0);
  const where = "request.bodyPatterns[0]";
  const pattern = object(patterns[0], where);
  const { equalTo, equalToJson, equalToXml, binaryEqualTo } = pattern;
  if (binaryEqualTo !== undefined) return base64Of(binaryEqualTo, `${where}.binaryEqualTo`);
  if (equalToJson !== undefined) {
    const text = textOrJson(equalToJson);
    if (/\$\{(?:json|xml)-unit\./.test(Buffer.from(text).toString())) throw new Inexact(`${where} has placeholders`);
    return text;
  }
  const text = equalTo ?? equalToXml;
  if (text === undefined) throw new Inexact(`${where} (${Object.keys(pattern)[0]}) is for many bodies`);
  return bytesOf(text, where);
}

function responseBodyOf({ body, jsonBody, base64Body, bodyFileName }: Json, files: MockFiles): Uint8Array {
  if (base64Body !== undefined) return base64Of(base64Body, "response.base64Body");
  if (jsonBody !== undefined) return Buffer.from(JSON.stringify(jsonBody));
  if (bodyFileName === undefined || bodyFileName === null) return bytesOf(body, "response.body");
  const name = string(bodyFileName, "response.bodyFileName");
  const bytes = files(name);
  if (bytes === undefined) throw new Wrong("response.bodyFileName", name, "the name of a file in __files");
  return bytes;
}
