/**
 * From the request of a flow to a platform `Request`.
 *
 * @module
 */
import { BodyIncompleteError } from "../flow/message.ts";
import type { FlowRequest } from "../flow/request.ts";

/**
 * The request as a platform `Request`, with all header fields: Node, Deno and Bun keep `cookie`, `host` and the others
 * that a browser forbids. A body is decoded, and then has no `content-encoding`.
 *
 * @throws {BodyIncompleteError} before the request is complete
 */
export function platformRequest(request: FlowRequest, signal: AbortSignal): Request {
  if (!request.content.complete) throw new BodyIncompleteError("request");
  const headers = request.headers.toHeaders();
  const body = hasBody(request) ? decoded(request, headers) : null;
  // Cookies are those of the client: "omit" keeps MSW from adding those of a store of its own.
  const init: RequestInit = { headers, body: body as BodyInit | null, signal, credentials: "omit", redirect: "manual" };
  return withMethod(request.method, (method) => new Request(request.url, { ...init, method }));
}

/** The platform refuses a body of GET and HEAD; HTTP that of TRACE (RFC 9110 section 9.3.8). */
function hasBody({ method, content }: FlowRequest): boolean {
  return content.size > 0 && !/^(?:GET|HEAD|TRACE)$/i.test(method);
}

function decoded(request: FlowRequest, headers: Headers): Uint8Array {
  try {
    const body = request.body;
    headers.delete("content-encoding");
    headers.delete("content-length");
    return body;
  } catch {
    // It cannot be decoded: whoever reads it sees what was sent.
    return request.encodedBody;
  }
}

/**
 * A Request with any method: Node refuses TRACE and warns of "patch", Bun turns methods that it does not know into GET.
 */
export function withMethod(method: string, make: (method: string) => Request): Request {
  const request = make(/^(?:TRACE|TRACK|CONNECT)$/i.test(method) ? "GET" : method.toUpperCase());
  if (request.method !== method) Object.defineProperty(request, "method", { value: method });
  return request;
}
