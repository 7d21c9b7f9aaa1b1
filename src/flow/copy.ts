/**
 * Copies of messages that can be changed without touching the flow they come from.
 *
 * @module
 */
import { BodyBuffer } from "./body_buffer.ts";
import type { Message } from "./message.ts";
import { FlowRequest } from "./request.ts";
import { FlowResponse } from "./response.ts";

/** A copy of a request as it is now, its body with bytes of its own. */
export function copyRequest(request: FlowRequest): FlowRequest {
  const { method, scheme, hostname, port, target, httpVersion, headers } = request;
  const address = { scheme, hostname, port, target };
  const copy = new FlowRequest(method, address, httpVersion, headers.clone(), copyBody(request.content));
  return withTrailers(copy, request);
}

/** A copy of a response as it is now, its body with bytes of its own. */
export function copyResponse(response: FlowResponse): FlowResponse {
  const { status, reason, httpVersion, headers } = response;
  const copy = new FlowResponse(status, reason, httpVersion, headers.clone(), copyBody(response.content));
  return withTrailers(copy, response);
}

/** What is kept of a body now; what is missing of it stays missing. */
function copyBody(content: BodyBuffer): BodyBuffer {
  const copy = BodyBuffer.of(new Uint8Array(content.bytes()));
  copy.limit = content.limit;
  copy.size = content.size;
  copy.truncated = content.truncated;
  copy.complete = content.complete;
  return copy;
}

function withTrailers<M extends Message>(copy: M, { trailers }: M): M {
  if (trailers !== undefined) copy.trailers = trailers.clone();
  return copy;
}
