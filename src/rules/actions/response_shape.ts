/**
 * A response as a rule describes it.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import type { HeadersLike } from "../../flow/headers.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { checkObject, checkOneOf, checkReason } from "../check.ts";

/** A response as a rule describes it. */
export interface Respond {
  /** 200 by default. */
  status?: number;
  /** The reason phrase; the one of the status by default. */
  reason?: string;
  /** Header fields. The length is added when it is sent. */
  headers?: HeadersLike;
  /** The body as JSON; `content-type` is added when it is missing. */
  json?: unknown;
  /** The body. Text gets a `content-type` when it is missing. A stream is passed on as it comes, and serves one flow. */
  body?: string | Uint8Array | ReadableStream<Uint8Array>;
  /** The body is this file, read each time; `content-type` by its extension when it is missing. */
  file?: string;
}

const KEYS = ["status", "reason", "headers", "json", "body", "file"];

/** Refuses what does not describe a response. */
export function checkRespond(response: unknown): Respond {
  checkObject(response, KEYS, "respond()");
  checkOneOf(response, ["json", "body", "file"], "respond()");
  const { reason, body, file, json } = response as Respond;
  if (json !== undefined) checkJson(json);
  checkReason(reason, "respond()");
  const known = body === undefined || typeof body === "string" || body instanceof Uint8Array ||
    body instanceof ReadableStream;
  if (!known) {
    throw new OptionsError(
      `the body of respond() is a string, bytes or a stream, not ${describeValue(body)}; use json`,
    );
  }
  if (file !== undefined && typeof file !== "string") {
    throw new OptionsError(`the file of respond() is a path, not ${describeValue(file)}`);
  }
  return response as Respond;
}

function checkJson(json: unknown): void {
  let why = "";
  try {
    if (JSON.stringify(json) !== undefined) return;
  } catch (error) {
    why = `: ${(error as Error).message.split("\n", 1)[0]}`;
  }
  throw new OptionsError(`the json of respond() is ${describeValue(json)}, which is not JSON${why}`);
}
