/**
 * The part of a file that a request asks for (RFC 9110 section 14).
 *
 * @module
 */
import type { FlowHeaders } from "../../flow/headers.ts";
import type { FlowRequest } from "../../flow/request.ts";

/** Bytes from `start` up to `end`, which is left out. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The range that a GET asks for; `undefined` when it is to get everything: it asks for none, for several, for one of another unit, or for
 * one of a file that has changed since.
 *
 * @param response the fields of the response, with `etag` and `last-modified`
 * @param size of the file
 */
export function rangeOf(
  request: FlowRequest,
  response: FlowHeaders,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(request.headers.get("range") ?? "") ?? [];
  if (request.method !== "GET" || first === undefined || first + last! === "") return undefined;
  if (!isStillThat(request.headers.get("if-range"), response)) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end };
}

/** A weak tag cannot say that two parts belong to one whole. */
function isStillThat(condition: string | null, response: FlowHeaders): boolean {
  if (condition === null) return true;
  return condition === response.get("etag") && !condition.startsWith("W/") ||
    condition === response.get("last-modified");
}
