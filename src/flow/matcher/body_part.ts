/**
 * A body as a matcher reads it: text, JSON, a form, or the reason why it is not that.
 *
 * @module
 */
import { essence } from "../media_type.ts";
import { BodyIncompleteError, type Message } from "../message.ts";
import { redactText } from "../sensitive.ts";
import { shorten } from "./describe.ts";

/** A body that was read, or why it could not be. */
export type BodyPart<T> = { readonly value: T; readonly problem?: undefined } | {
  readonly value?: undefined;
  readonly problem: string;
};

/** The decoded bytes. */
export function bytesOf(message: Message): BodyPart<Uint8Array> {
  return read(message, () => message.body);
}

/** The text. */
export function textOf(message: Message): BodyPart<string> {
  return read(message, () => message.text());
}

/** The JSON value. */
export function jsonOf(message: Message): BodyPart<unknown> {
  const text = textOf(message);
  if (text.problem !== undefined) return text;
  if (text.value === "") return { problem: "no body" };
  try {
    return { value: JSON.parse(text.value) };
  } catch {
    return { problem: `not JSON: ${shorten(JSON.stringify(redactText(text.value)), 200)}` };
  }
}

/** The values of a form by name; of a file its name. */
export function formOf(message: Message): BodyPart<Map<string, string[]>> {
  const type = essence(message.headers.get("content-type"));
  if (type !== "application/x-www-form-urlencoded" && type !== "multipart/form-data") {
    return { problem: `not a form: ${type === "" ? "no content-type" : `content-type ${type}`}` };
  }
  return read(message, () => {
    const values = new Map<string, string[]>();
    for (const [name, value] of message.form()) {
      values.set(name, [...values.get(name) ?? [], typeof value === "string" ? value : value.name]);
    }
    return values;
  });
}

/** A body that cannot be decoded is a body that does not match; one that is still on its way is neither. */
function read<T>(message: Message, get: () => T): BodyPart<T> {
  try {
    const value = get();
    if (!message.bodyTruncated) return { value };
    const { kept, size } = message.content;
    // It is short of its end, too, when the flow failed before all of it had come.
    if (kept === size) return { problem: `not received in full: ${size} bytes came` };
    return { problem: `not kept in full: ${kept} of ${size} bytes (capture.maxBody)` };
  } catch (error) {
    if (error instanceof BodyIncompleteError) throw error;
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
