/**
 * What a client reads when a gateway cannot hand its request on.
 *
 * @module
 */
import { answerFor, type FlowError } from "../flow/flow_error.ts";
import { ProtocolError } from "../wire/http1/protocol_error.ts";
import { OnceError } from "../wire/once/send_once.ts";

/** A response that says why in plain text; `X-Flowtape-Error` has the code, as on the proxy's own pages. */
export function refusal(status: number, code: string, message: string, headers: HeadersInit = {}): Response {
  const fields = new Headers(headers);
  fields.set("content-type", "text/plain; charset=utf-8");
  fields.set("x-flowtape-error", code);
  return new Response(`flowtape: ${message}\n${code}\n`, { status, headers: fields });
}

/** What a client reads of a server that could not be asked: 502 and 504 as they should be (RFC 9110 section 15.6). */
export function refusalOf(error: unknown): Response | undefined {
  if (error instanceof OnceError) return refusal(statusOf(error.failure), error.code, error.message);
  if (error instanceof ProtocolError) return refusal(400, error.code, error.message);
  return undefined;
}

function statusOf(failure: FlowError): number {
  if (failure.code === "CLIENT_ABORTED") return 400;
  const status = answerFor(failure);
  return typeof status === "number" ? status : 502;
}
