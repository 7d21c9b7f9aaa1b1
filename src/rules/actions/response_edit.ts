/**
 * Changes of a response.
 *
 * @module
 */
import type { HttpFlow } from "../../flow/http_flow.ts";
import { FlowResponse, reasonOf } from "../../flow/response.ts";
import { checkObject, checkOneOf, checkReason } from "../check.ts";
import {
  type BodyEdit,
  type CompiledEdit,
  compileEdit,
  editBody,
  editHeaders,
  type HeaderEdit,
} from "./message_edit.ts";

/** What to change in a response. What is not named stays. */
export interface ResponseEdit extends BodyEdit {
  /** The status; the reason phrase follows it when it is not given. */
  status?: number;
  /** The reason phrase. */
  reason?: string;
  /** Header fields: sets them, `null` removes, an array gives several lines of one name. */
  headers?: HeaderEdit;
}

/** Changes the response that it is given, or returns what to change. */
export type ResponseEditor = (
  response: FlowResponse,
  flow: HttpFlow,
) => ResponseEdit | void | Promise<ResponseEdit | void>;

/** Checks an edit of a response and makes it ready. */
export function compileResponseEdit(edit: ResponseEdit | ResponseEditor): CompiledEdit<FlowResponse> {
  return compileEdit(edit, checkResponseEdit, applyResponseEdit);
}

/** Changes a response. */
export function applyResponseEdit(response: FlowResponse, edit: ResponseEdit): void {
  if (edit.status !== undefined) {
    response.status = edit.status;
    response.reason = reasonOf(edit.status);
  }
  if (edit.reason !== undefined) response.reason = edit.reason;
  // First the body: setting it removes the content coding, which the headers of the edit may name anew.
  editBody(response, edit);
  editHeaders(response.headers, edit.headers);
}

const KEYS = ["status", "reason", "headers", "body", "json"];

/** Refuses what is not an edit of a response. */
export function checkResponseEdit(edit: unknown): asserts edit is ResponseEdit {
  const where = "the edit of a response";
  checkObject(edit, KEYS, where);
  checkOneOf(edit, ["body", "json"], where);
  const { status, reason } = edit as ResponseEdit;
  checkReason(reason, where);
  // A trial on a response that nobody sends finds the rest: the status, header fields.
  applyResponseEdit(FlowResponse.create({ status }), edit);
}
