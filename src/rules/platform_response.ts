/**
 * From a platform `Response` to the answer to a flow.
 *
 * @module
 */
import { BodyBuffer } from "../flow/body_buffer.ts";
import { FlowtapeError } from "../flow/error.ts";
import { FlowHeaders } from "../flow/headers.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import { FlowResponse, reasonOf } from "../flow/response.ts";

/** Answers a flow; the body is passed on as it comes. `Response.error()` cuts the client's connection. */
export function answerWithPlatformResponse(flow: HttpFlow, response: Response): void {
  if (response.type === "error") {
    const { method, url } = flow.request;
    flow.error = { code: "DROPPED", message: `a rule answered ${method} ${url} with Response.error()` };
    return;
  }
  flow.response = flowResponseOf(response);
}

/**
 * The response as flows have it; the body is read when it is sent.
 *
 * @throws {FlowtapeError} `RESPONSE_USED`
 */
export function flowResponseOf(response: Response): FlowResponse {
  if (response.bodyUsed) {
    throw new FlowtapeError(
      "RESPONSE_USED",
      "the body of the Response has been read already: make a new Response for each flow, or return response.clone()",
    );
  }
  // Iterating gives each Set-Cookie line by itself, which get() would not.
  const headers = FlowHeaders.from(response.headers);
  const reason = response.statusText || reasonOf(response.status);
  // `null` is no body at all, and nothing has to be read.
  const content = response.body === null ? BodyBuffer.of(new Uint8Array(0)) : new BodyBuffer();
  return new FlowResponse(response.status, reason, "1.1", headers, content, response.body ?? undefined);
}
