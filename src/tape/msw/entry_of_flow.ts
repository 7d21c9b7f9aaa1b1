/**
 * A flow as if it had been read from a tape.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { OptionsError } from "../../flow/error.ts";
import type { HttpFlow } from "../../flow/http_flow.ts";
import type { Message } from "../../flow/message.ts";
import { type StoredMessage, TapeEntry } from "../entry.ts";
import { type MessageParts, partsOfFlow } from "../parts.ts";

/**
 * What the client has sent and got.
 *
 * @throws {OptionsError} a body was not kept whole
 */
export function entryOfFlow(flow: HttpFlow, index: number): TapeEntry {
  const { request, response, error, timings, comment } = flow;
  checkWhole(flow, request, "request");
  if (response !== undefined && error === undefined) checkWhole(flow, response, "response");
  const parts = partsOfFlow({ request, response, error, timings, comment, original: undefined });
  const none: StoredMessage = { httpVersion: "1.1", fields: "", trailers: undefined, body: undefined };
  const { method, url, status, reason, failure } = parts;
  const stored = {
    method,
    url,
    status,
    reason,
    failure,
    comment,
    request: storedOf(parts.request),
    response: parts.response === undefined ? none : storedOf(parts.response),
  };
  return new TapeEntry(index, stored, () => Promise.reject(new Error("it has no body files")));
}

function checkWhole({ request }: HttpFlow, { content }: Message, what: string): void {
  if (content.size <= content.kept) return;
  throw new OptionsError(
    `the ${what} body of ${request.method} ${request.url} has ${content.size} bytes, of which only ${content.kept} were kept: ` +
      "raise capture.maxBody of the proxy, or leave this flow out with filter()",
  );
}

function storedOf({ httpVersion, headers, trailers, body, encoded }: MessageParts): StoredMessage {
  const value = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("base64");
  return {
    httpVersion,
    fields: headers.fields,
    trailers: trailers?.fields,
    body: body.length === 0 ? undefined : { form: "base64", value, encoded },
  };
}
