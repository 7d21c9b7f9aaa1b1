/**
 * A response as a rule describes it.
 *
 * @module
 */
import { OptionsError } from "../../flow/error.ts";
import type { HeadersLike } from "../../flow/headers.ts";
import { describeValue } from "../../flow/matcher/describe.ts";
import { FlowResponse } from "../../flow/response.ts";
import { checkObject, checkOneOf, checkReason, isResponse } from "../check.ts";

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
  /**
   * The body is this file, read each time; `content-type` by its extension when it is missing. Unless `status` is given, a client may ask
   * for a part of it (`Range`), and whether it has changed (`If-None-Match`, `If-Modified-Since`).
   */
  file?: string;
  /**
   * The body is the file of this folder that the path leads to, `index.html` where it leads to a folder; 404 where there is none. Never a
   * file outside of the folder, whatever the path or a link says.
   */
  folder?: string;
  /** With `folder`: what the path begins with and the folder does not know of, such as `"/assets"`. Other paths are a 404. */
  strip?: string;
}

const KEYS = ["status", "reason", "headers", "json", "body", "file", "folder", "strip"];

/** Refuses what does not describe a response. */
export function checkRespond(response: unknown): Respond {
  if (isResponse(response) || response instanceof FlowResponse) {
    throw new OptionsError(
      `respond() takes a ${response.constructor.name} from a function alone, for each flow needs its own: ` +
        "respond(() => new Response(...))",
    );
  }
  checkObject(response, KEYS, "respond()");
  checkOneOf(response, ["json", "body", "file", "folder"], "respond()");
  const { reason, body, file, folder, strip, json } = response as Respond;
  if (json !== undefined) checkJson(json);
  checkReason(reason, "respond()");
  const known = body === undefined || typeof body === "string" || body instanceof Uint8Array ||
    body instanceof ReadableStream;
  if (!known) {
    throw new OptionsError(
      `the body of respond() is a string, bytes or a stream, not ${describeValue(body)}; use json`,
    );
  }
  for (const [key, path] of Object.entries({ file, folder })) {
    if (path !== undefined && (typeof path !== "string" || path === "")) {
      throw new OptionsError(`the ${key} of respond() is a path, not ${describeValue(path)}`);
    }
  }
  if (strip !== undefined) checkStrip(strip, folder);
  return response as Respond;
}

function checkStrip(strip: unknown, folder: unknown): void {
  if (folder === undefined) {
    throw new OptionsError("strip of respond() is about the path to a file in a folder: give folder, too");
  }
  if (typeof strip === "string" && /^\/[^?#]*$/.test(strip)) return;
  throw new OptionsError(
    `strip of respond() is ${describeValue(strip)}: the beginning of paths, such as "/assets", is accepted`,
  );
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
