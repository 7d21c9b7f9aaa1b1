/**
 * Simulations of Hoverfly (schema v5). A pair that is for one request becomes an entry.
 *
 * @module
 */
import { object, string, Wrong } from "../field.ts";
import { isObject, type Json, show } from "../har_read.ts";
import { type Collector, Inexact } from "./collector.ts";
import type { Exchange, Field, FieldNames } from "./exchange.ts";
import { notImported } from "./failure.ts";
import { array, base64Of, bytesOf, fieldsOf, isNothing, whole } from "./fields.ts";

/** Reads the pairs of a simulation. */
export function readHoverfly(document: Json, into: Collector): void {
  const { data, meta } = document;
  const version = isObject(meta) ? meta.schemaVersion : undefined;
  if (typeof version !== "string" || !/^v5(?:\.|$)/.test(version)) {
    throw notImported(
      into.path,
      `meta.schemaVersion is ${show(version)}: v5 is read. Hoverfly 1.0 and newer export an older simulation as v5`,
      "IMPORT_VERSION",
    );
  }
  const shown = new Set<string>();
  array(object(data, "data").pairs, "data.pairs").forEach((pair, i) => {
    const place = `data.pairs[${i}]`;
    const { request } = isObject(pair) ? pair : {};
    const key = JSON.stringify(request);
    if (shown.has(key)) return into.note(place, "left out: an earlier pair is for the same request");
    shown.add(key);
    into.add(place, NAMES, () => {
      const { request, response } = object(pair, "");
      return exchangeOf(object(request, "request"), object(response, "response"), into, place);
    });
  });
}

const NAMES: FieldNames = {
  method: "request.method",
  url: "request.destination",
  requestHeaders: "request.headers",
  status: "response.status",
  reason: "response.status",
  responseHeaders: "response.headers",
};

function exchangeOf(request: Json, response: Json, into: Collector, place: string): Exchange {
  if (response.templated === true && /\{\{/.test(String(response.body))) {
    throw new Inexact("response.templated makes an answer for each request");
  }
  for (const name of ["bodyFile", "removesState"]) {
    if (!isNothing(response[name]) && response[name] !== "") throw new Inexact(`response.${name} is not read`);
  }
  const method = exact(request.method, "request.method");
  const bodyGiven = !isNothing(request.body);
  if (!bodyGiven && /^(?:POST|PUT|PATCH)$/.test(method)) {
    into.note(place, "it is for every body, and its entry for none: match: { body: false } replays it for every body");
  }
  if (isNothing(request.query) && request.query === undefined && request.deprecatedQuery === undefined) {
    into.note(
      place,
      "it is for every query, and its entry for none: match: { query: false } replays it for every query",
    );
  }
  return {
    method: method.toUpperCase(),
    url: urlOf(request),
    requestHeaders: exactFields(request.headers, "request.headers"),
    requestBody: bodyGiven
      ? bytesOf(exact(request.body, "request.body", BODY_MATCHERS), "request.body")
      : new Uint8Array(0),
    status: whole(response.status, "response.status"),
    responseHeaders: fieldsOf(response.headers, "response.headers"),
    responseBody: response.encodedBody === true
      ? base64Of(response.body ?? "", "response.body")
      : bytesOf(response.body, "response.body"),
  };
}

function urlOf({ scheme, destination, path, query, deprecatedQuery }: Json): string {
  const host = exact(destination, "request.destination");
  if (isNothing(scheme)) throw new Inexact("request.scheme is missing: it is for http and https");
  const from = exact(path, "request.path");
  const pairs = new URLSearchParams(exactFields(query, "request.query").map(([name, value]) => [name, value]));
  const text = isNothing(deprecatedQuery) ? pairs.toString() : exact(deprecatedQuery, "request.deprecatedQuery");
  return `${exact(scheme, "request.scheme")}://${host}${from === "" ? "/" : from}${text === "" ? "" : `?${text}`}`;
}

function exactFields(conditions: unknown, where: string): Field[] {
  if (isNothing(conditions)) return [];
  return Object.entries(object(conditions, where)).flatMap(([name, list]) => {
    const one = `${where}.${name}`;
    // What several values are captured as.
    if (Array.isArray(list) && list.length === 1 && isObject(list[0]) && list[0].matcher === "array") {
      return array(list[0].value, one).map((value, i): Field => [name, string(value, `${one}[${i}]`)]);
    }
    return [[name, exact(list, one)] as const];
  });
}

const MATCHERS: ReadonlySet<unknown> = new Set(["exact"]);
const BODY_MATCHERS: ReadonlySet<unknown> = new Set(["exact", "json", "xml"]);

/** The value of a list with one condition that one value fulfils. */
function exact(list: unknown, where: string, accepted = MATCHERS): string {
  if (isNothing(list)) throw new Inexact(`${where} is missing: it is for many`);
  const conditions = array(list, where);
  if (conditions.length !== 1) throw new Inexact(`${where} has several conditions`);
  const { matcher, value, doMatch } = object(conditions[0], `${where}[0]`);
  if (typeof matcher !== "string") throw new Wrong(`${where}[0].matcher`, matcher, "the name of a matcher");
  if (!accepted.has(matcher) || !isNothing(doMatch)) throw new Inexact(`${where} (${matcher}) is for many values`);
  return string(value, `${where}[0].value`);
}
