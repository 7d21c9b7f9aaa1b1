/**
 * The request body as a matcher reads it: text, JSON, a form, or the reason why it is not that.
 *
 * @module
 */
import { essence } from "../media_type.ts";
import { BodyIncompleteError } from "../message.ts";
import type { FlowRequest } from "../request.ts";
import { redactText } from "../sensitive.ts";
import { shorten } from "./describe.ts";

/** A body that was read, or why it could not be. */
export type BodyPart<T> = { readonly value: T; readonly problem?: undefined } | {
  readonly value?: undefined;
  readonly problem: string;
};

/** The decoded bytes. */
export function bytesOf(request: FlowRequest): BodyPart<Uint8Array> {
  return read(request, () => request.body);
}

/** The text. */
export function textOf(request: FlowRequest): BodyPart<string> {
  return read(request, () => request.text());
}

/** The JSON value. */
export function jsonOf(request: FlowRequest): BodyPart<unknown> {
  const text = textOf(request);
  if (text.problem !== undefined) return text;
  if (text.value === "") return { problem: "no body" };
  try {
    return { value: JSON.parse(text.value) };
  } catch {
    return { problem: `not JSON: ${shorten(JSON.stringify(redactText(text.value)), 200)}` };
  }
}

/** The values of a form by name; of a file its name. */
export function formOf(request: FlowRequest): BodyPart<Map<string, string[]>> {
  const type = essence(request.headers.get("content-type"));
  if (type !== "application/x-www-form-urlencoded" && type !== "multipart/form-data") {
    return { problem: `not a form: ${type === "" ? "no content-type" : `content-type ${type}`}` };
  }
  return read(request, () => {
    const values = new Map<string, string[]>();
    for (const [name, value] of request.form()) {
      values.set(name, [...values.get(name) ?? [], typeof value === "string" ? value : value.name]);
    }
    return values;
  });
}

/** A body that cannot be decoded is a body that does not match; one that is still on its way is neither. */
function read<T>(request: FlowRequest, get: () => T): BodyPart<T> {
  try {
    const value = get();
    if (!request.bodyTruncated) return { value };
    const { kept, size } = request.content;
    // It is short of its end, too, when the flow failed before all of it had come.
    if (kept === size) return { problem: `not received in full: ${size} bytes came` };
    return { problem: `not kept in full: ${kept} of ${size} bytes (capture.maxBody)` };
  } catch (error) {
    if (error instanceof BodyIncompleteError) throw error;
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
