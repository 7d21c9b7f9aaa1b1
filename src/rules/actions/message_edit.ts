/**
 * What edits of requests and of responses have in common.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import type { FlowHeaders } from "../../flow/headers.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { isJson } from "../../flow/media_type.ts";
import type { Message } from "../../flow/message.ts";

/** Header fields to set, to remove (`null`), or to give several lines (an array). */
export type HeaderEdit = { readonly [name: string]: string | number | null | readonly string[] };

/** A new body. */
export interface BodyEdit {
  /** The new body. */
  body?: string | Uint8Array;
  /** The new body as JSON; `content-type` becomes JSON when it is not. */
  json?: unknown;
}

/** An edit that has been checked. */
export interface CompiledEdit<M extends Message> {
  /** Whether the whole message must be there. */
  readonly needsBody: boolean;
  /** Makes the changes. */
  apply(message: M, flow: HttpFlow): void | Promise<void>;
}

/**
 * Makes an edit ready: an object is checked now, what a function returns is checked when it returns.
 *
 * @param check refuses an object of the wrong form
 * @param change makes the changes
 */
export function compileEdit<M extends Message, E extends BodyEdit>(
  edit: E | ((message: M, flow: HttpFlow) => E | void | Promise<E | void>),
  check: (edit: unknown) => asserts edit is E,
  change: (message: M, edit: E) => void,
): CompiledEdit<M> {
  if (typeof edit !== "function") {
    const checked: unknown = edit;
    check(checked);
    const needsBody = edit.body !== undefined || edit.json !== undefined;
    return { needsBody, apply: (message) => change(message, edit) };
  }
  return {
    needsBody: true,
    async apply(message, flow) {
      const returned: unknown = await edit(message, flow);
      // Arrow functions return the value of an assignment or a call: only an object can be meant as an edit.
      if (typeof returned !== "object" || returned === null || returned === message) return;
      check(returned);
      change(message, returned);
    },
  };
}

/** Sets the body of a message. */
export function editBody(message: Message, { body, json }: BodyEdit): void {
  if (body !== undefined) {
    if (typeof body !== "string" && !(body instanceof Uint8Array)) {
      throw new OptionsError(`the body of an edit is a string or bytes, not ${describeValue(body)}; use json`);
    }
    message.body = body;
  }
  if (json === undefined) return;
  const text = JSON.stringify(json) as string | undefined;
  if (text === undefined) throw new OptionsError(`the json of an edit is ${describeValue(json)}, which is not JSON`);
  message.body = text;
  if (!isJson(message.headers.get("content-type"))) message.headers.set("content-type", "application/json");
}

/** Changes header fields. */
export function editHeaders(headers: FlowHeaders, edit: HeaderEdit = {}): void {
  for (const [name, value] of Object.entries(edit)) {
    if (value === undefined) continue;
    if (!Array.isArray(value) && value !== null) {
      headers.set(name, String(value));
      continue;
    }
    headers.delete(name);
    for (const one of (value as readonly string[] | null) ?? []) headers.append(name, one);
  }
}
