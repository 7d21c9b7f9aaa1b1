/**
 * When a request may be sent once more.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import type { Exchange } from "./exchange.ts";
import type { UpstreamStream } from "./upstream_stream.ts";

/** The request, and what there is of its body. */
type Asked = Pick<Exchange, "flow" | "upload">;

/** Methods that may be sent again when it is unknown whether the first one was seen (RFC 9110 section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/**
 * Whether a failure is that of a server which has closed a connection just when it was used again: then nothing was lost, and the
 * request may be sent on a new one.
 */
export function mayRetry(
  { flow: { request }, upload: { content } }: Asked,
  { reused, answered }: UpstreamStream,
  error: FlowError,
): boolean {
  return error.code === "UPSTREAM_CLOSED" && reused && !answered && IDEMPOTENT.has(request.method) &&
    (request.bodyEdited || content.complete && !content.truncated);
}

/** Whether the body is still there: all that came of it, or what an addon has put in its place. */
export function canRepeat({ flow: { request }, upload: { content } }: Asked): boolean {
  return request.bodyEdited || !content.truncated;
}
