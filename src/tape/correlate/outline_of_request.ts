/**
 * What a request asks for, as one text whose outline can be compared: the order of keys and parameters does not count, and what the
 * options leave out is left out.
 *
 * @module
 */
import { pathTest } from "../../flow/json_path.ts";
import { essence, isJson, parameter } from "../../flow/media_type.ts";
import type { FlowRequest } from "../../flow/request.ts";
import { grpcText, isGrpc } from "../streams/grpc.ts";
import type { MatchOptions } from "../match/match_options.ts";
import { type Outline, outlineOf } from "./unusual.ts";

/** The outline of method and URL: what entries are looked up by. */
export function outlineOfAddress(method: string, url: string, { query = true, ...match }: MatchOptions): Outline {
  const mark = url.indexOf("?");
  const address = mark < 0 ? url : url.slice(0, mark);
  const start = address.indexOf("/", address.indexOf("://") + 3);
  const origin = match.origin === false ? "" : start < 0 ? address : address.slice(0, start);
  const path = outlineOf(start < 0 || match.path === false ? "/" : decodePath(address.slice(start)));
  const pairs = outlineOf(mark < 0 || query === false ? "" : sorted(url.slice(mark + 1), ignoredQuery(query)));
  return {
    shape: `${match.method === false ? "" : method} ${origin.toLowerCase()}${path.shape}?${pairs.shape}`,
    values: [...path.values, ...pairs.values],
    names: [...path.names, ...pairs.names],
  };
}

/** The outline of a body. */
export function outlineOfBody(request: FlowRequest, { body = true }: MatchOptions): Outline {
  const type = request.headers.get("content-type");
  if (body === false || request.body.length === 0) return outlineOf("");
  const grpc = isGrpc(type) ? grpcText(request.body) : undefined;
  if (grpc !== undefined) return outlineOf(grpc);
  const text = request.text();
  const ignore = typeof body === "object" ? body.ignore ?? [] : [];
  if (isJson(type)) {
    try {
      return outlineOf(JSON.stringify(inOrder(JSON.parse(text), [], pathTest(ignore))));
    } catch {
      return outlineOf(text);
    }
  }
  if (essence(type) === "application/x-www-form-urlencoded") return outlineOf(sorted(text, ignore));
  const boundary = parameter(type, "boundary");
  return outlineOf(boundary ? text.replaceAll(boundary, "--") : text);
}

function ignoredQuery(query: MatchOptions["query"]): readonly string[] {
  return typeof query === "object" ? query.ignore ?? [] : query === true ? [] : [];
}

function sorted(query: string, ignored: readonly string[]): string {
  const pairs = new URLSearchParams(query);
  for (const name of ignored) pairs.delete(name);
  pairs.sort();
  return Array.from(pairs, ([name, value]) => `${name}=${value}`).join("&");
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function inOrder(value: unknown, path: string[], ignored: (path: readonly string[]) => boolean): unknown {
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !ignored([...path, key]))
    .map(([key, member]): [string, unknown] => [key, inOrder(member, [...path, key], ignored)]);
  if (Array.isArray(value)) return entries.map(([, member]) => member);
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
}
