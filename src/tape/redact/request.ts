/**
 * A request as it would stand on the tape.
 *
 * @module
 */
import { BodyBuffer } from "../../flow/body_buffer.ts";
import { FlowHeaders } from "../../flow/headers.ts";
import { FlowRequest } from "../../flow/request.ts";
import { decodedBody } from "../match/body_signature.ts";
import { splitUrl } from "../entry.ts";
import type { Redactor } from "./redactor.ts";

/** A copy without what is secret and without content coding; its body is only there when it has arrived. */
export function redactRequest(request: FlowRequest, redactor: Redactor): FlowRequest {
  const headers = FlowHeaders.from(
    Array.from(request.headers, ([name, value]): [string, string] => [name, redactor.header(name, value)]),
  );
  headers.delete("content-encoding");
  const { complete, overflow, digest, size } = request.content;
  if (overflow !== undefined) {
    headers.delete("content-type");
    const content = BodyBuffer.of(describeLarge(size, digest));
    return new FlowRequest(request.method, splitUrl(redactor.url(request.url)), request.httpVersion, headers, content);
  }
  const body = complete ? redactor.body(decodedBody(request), headers.get("content-type")) : undefined;
  const content = body ? BodyBuffer.of(body) : new BodyBuffer();
  return new FlowRequest(request.method, splitUrl(redactor.url(request.url)), request.httpVersion, headers, content);
}

/** What stands for a large body in explanations. */
export function describeLarge(size: number, digest = ""): Uint8Array {
  return new TextEncoder().encode(`(${size} bytes, SHA-256 ${digest.slice(0, 16)})`);
}
