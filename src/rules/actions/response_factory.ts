/**
 * Responses that are described once and sent many times.
 *
 * @module
 */
import { FlowtapeError } from "../../flow/error.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { FlowResponse } from "../../flow/response.ts";
import type { Respond } from "./response_shape.ts";

/**
 * A function that makes the described response. What is wrong with the description is found now, and the work is done now:
 * each flow gets its own copy of the head, because it may be edited, and shares the bytes of the body.
 */
export function responseFactory(response: Respond): () => FlowResponse {
  const first = FlowResponse.create(withContentType(response));
  if (first.source !== undefined) return once(first);
  const { status, reason, httpVersion } = first;
  const fields = [...first.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const { content } = first;
  return () => new FlowResponse(status, reason, httpVersion, FlowHeaders.fromFields(fields), content);
}

/** Text says that it is text, as the platform's `Response` does. */
function withContentType(response: Respond): Respond {
  if (typeof response.body !== "string" || response.body === "") return response;
  const headers = FlowHeaders.from(response.headers ?? []);
  if (!headers.has("content-type")) headers.append("content-type", "text/plain;charset=UTF-8");
  return { ...response, headers };
}

function once(response: FlowResponse): () => FlowResponse {
  let used = false;
  return () => {
    if (used) {
      throw new FlowtapeError(
        "RESPOND_STREAM_USED",
        "the stream of respond() has been sent to an earlier flow: use respond(() => ({ body: makeStream() }))",
      );
    }
    used = true;
    return response;
  };
}
