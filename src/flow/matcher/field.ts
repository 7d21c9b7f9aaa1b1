/**
 * A matcher made of fields: what a string, a shape and a pattern have in common.
 *
 * @module
 */
import type { Flow } from "../flow.ts";
import type { HttpFlow } from "../http_flow.ts";
import { BodyIncompleteError } from "../message.ts";
import type { FlowRequest } from "../request.ts";
import { type Exact, noteExact } from "./exact.ts";
import type { Comparison, CompiledMatcher, MatchKey } from "./types.ts";

/** One part of a request or response, and what is wanted of it. */
export interface Field {
  /** The whole of what it wants, when that is one exact part. */
  readonly exact?: Exact;
  /** Whether it fits. */
  matches(flow: HttpFlow): boolean;
  /** The same for people. */
  compare(flow: HttpFlow): Comparison[];
}

/** A field with one comparison. `actual` is what is shown when it is there. */
export function field(
  name: string,
  expected: string,
  matches: (request: FlowRequest, flow: HttpFlow) => boolean,
  actual: (request: FlowRequest, flow: HttpFlow) => string | undefined,
  exact?: Exact,
): Field {
  return {
    exact,
    matches: (flow) => matches(flow.request, flow),
    compare: (flow) => [{
      field: name,
      expected,
      actual: actual(flow.request, flow),
      matches: matches(flow.request, flow),
    }],
  };
}

/** A matcher that says yes when every field does. Put fields that look at a body last. */
export function fromFields(description: string, fields: readonly Field[]): CompiledMatcher {
  const exact: Exact = {};
  const others: Field[] = [];
  for (const one of fields) {
    // Two fields may want the same part: the second is then asked like any other.
    if (one.exact === undefined || Object.keys(one.exact).some((part) => part in exact)) others.push(one);
    else Object.assign(exact, one.exact);
  }
  const { method, scheme, hostname, port, path } = exact;
  const matcher: CompiledMatcher = {
    description,
    key: keyOf(exact),
    matches(flow) {
      if (flow.type !== "http") return false;
      const request = flow.request;
      if (method !== undefined && request.method !== method) return false;
      if (hostname !== undefined && request.hostname !== hostname) return false;
      if (port !== undefined && request.port !== port) return false;
      if (scheme !== undefined && request.scheme !== scheme) return false;
      if (path !== undefined && request.path !== path) return false;
      for (const one of others) if (!one.matches(flow)) return false;
      return true;
    },
    compare: (flow) => flow.type === "http" ? fields.flatMap((one) => compareField(one, flow)) : [notHttp(flow)],
  };
  return others.length === 0 ? noteExact(matcher, exact) : matcher;
}

/** A comparison for a flow that no HTTP matcher accepts. */
export function notHttp(flow: Flow): Comparison {
  return { field: "type", expected: "an HTTP request", actual: `a ${flow.type} conversation`, matches: false };
}

/** A comparison is made to explain a failure, so it may not fail itself. */
function compareField(one: Field, flow: HttpFlow): Comparison[] {
  try {
    return one.compare(flow);
  } catch (error) {
    const why = error instanceof BodyIncompleteError ? "has not arrived" : `failed: ${String(error)}`;
    return [{ field: "body", expected: "to be compared", actual: why, matches: false }];
  }
}

function keyOf({ method, hostname, path }: Exact): MatchKey | undefined {
  if (method === undefined && hostname === undefined && path === undefined) return undefined;
  return { method, hostname, path };
}
