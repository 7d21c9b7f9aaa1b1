/**
 * What went wrong between the proxy and a server that speaks HTTP/2, in the words of the flow.
 *
 * @module
 */
import type { FlowError } from "../../flow/flow_error.ts";
import { connectionFailure } from "../outbound/failure.ts";
import { errorName } from "./http2_error.ts";
import type { BrokenStream } from "./stream_user.ts";

/** The server, and what ended its connection. */
interface Server {
  /** `host:port`. */
  readonly name: string;
  readonly error: unknown;
}

/** The failure of a request whose stream has ended before its time; `answered`: something of the answer had come. */
export function streamFailure(why: BrokenStream, { name, error }: Server, stage: "asked" | "answered"): FlowError {
  const when = stage === "answered" ? "in the middle of its answer" : "before it answered";
  const { kind, code, message } = why;
  switch (kind) {
    case "reset":
      return {
        code: "UPSTREAM_RESET",
        message: `${name} reset the stream ${when}: ${errorName(code)}`,
        resetCode: code,
      };
    case "unseen":
      return { code: "UPSTREAM_RESET", message: `${name} goes away and did not look at the request`, resetCode: code };
    case "invalid":
      return {
        code: `HTTP2_${errorName(code)}`,
        message: `the answer of ${name} is not valid HTTP/2: ${message}`,
        status: 502,
      };
    case "lost":
      if (stage === "answered") return { code: "UPSTREAM_ABORTED", message: `${name} closed the connection ${when}` };
      if (error !== undefined) return connectionFailure(error, name);
      return { code: "UPSTREAM_CLOSED", message: `${name} closed the connection ${when}` };
  }
}
