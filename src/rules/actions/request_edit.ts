/**
 * Changes of a request.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { FlowRequest } from "../../flow/request.ts";
import { checkObject, checkOneOf } from "../check.ts";
import {
  type BodyEdit,
  type CompiledEdit,
  compileEdit,
  editBody,
  editHeaders,
  type HeaderEdit,
} from "./message_edit.ts";

/** What to change in a request. What is not named stays. */
export interface RequestEdit extends BodyEdit {
  /** The method, exactly as given. */
  method?: string;
  /** An absolute URL: the request goes there, and `Host` says so. */
  url?: string | URL;
  /** The path, without the query; the query stays. */
  path?: string;
  /** Query parameters: sets them, `null` removes, an array gives several of one name. */
  query?: { readonly [name: string]: string | number | boolean | null | readonly string[] };
  /** Header fields: sets them, `null` removes, an array gives several lines of one name. */
  headers?: HeaderEdit;
}

/** Changes the request that it is given, or returns what to change. */
export type RequestEditor = (
  request: FlowRequest,
  flow: HttpFlow,
) => RequestEdit | void | Promise<RequestEdit | void>;

/** Checks an edit of a request and makes it ready. */
export function compileRequestEdit(edit: RequestEdit | RequestEditor): CompiledEdit<FlowRequest> {
  return compileEdit(edit, checkRequestEdit, applyRequestEdit);
}

/** Changes a request. */
export function applyRequestEdit(request: FlowRequest, edit: RequestEdit): void {
  if (edit.method !== undefined) request.method = edit.method;
  if (edit.url !== undefined) request.url = String(edit.url);
  if (edit.path !== undefined) request.path = edit.path;
  for (const [name, value] of Object.entries(edit.query ?? {})) {
    request.query.delete(name);
    if (value === null) continue;
    for (const one of Array.isArray(value) ? value : [value]) request.query.append(name, String(one));
  }
  // First the body: setting it removes the content coding, which the headers of the edit may name anew.
  editBody(request, edit);
  editHeaders(request.headers, edit.headers);
}

const KEYS = ["method", "url", "path", "query", "headers", "body", "json"];

/** Refuses what is not an edit of a request. */
export function checkRequestEdit(edit: unknown): asserts edit is RequestEdit {
  const where = "the edit of a request";
  checkObject(edit, KEYS, where);
  checkOneOf(edit, ["body", "json"], where);
  const { method, path } = edit as RequestEdit;
  if (method !== undefined && (typeof method !== "string" || !isToken(method))) {
    throw new OptionsError(`the method in ${where} is not one: ${describeValue(method)}`);
  }
  if (path !== undefined && (typeof path !== "string" || !/^\/[^?#]*$/.test(path))) {
    throw new OptionsError(
      `the path in ${where} starts with "/" and has no query, unlike ${describeValue(path)}; use query`,
    );
  }
  // A trial on a request that nobody sends finds the rest: URLs, characters, header fields.
  applyRequestEdit(FlowRequest.create({ url: "http://trial.invalid/" }), edit);
}

/** A method is a token, as the name of a header field is (RFC 9110 section 9.1). */
function isToken(method: string): boolean {
  try {
    FlowHeaders.from([[method, ""]]);
    return true;
  } catch {
    return false;
  }
}
