/**
 * What can go wrong with a flow: the one table of codes.
 *
 * @module
 */
import { OptionsError } from "./error.ts";
import { describeValue } from "./matcher/describe.ts";

/** How a failure looks to the client: a status with a page that explains it, or a connection that is cut. */
export type FailureAnswer = number | "reset";

/**
 * Every failure of a flow that the wire itself reports, and how the client sees it. A malformed message has a code of
 * its own from the codec (`HTTP_...`): 400, 431, 501 or 505 when the client sent it, 502 when the server did.
 */
export const FAILURES: Readonly<Record<FailureCode, FailureAnswer>> = {
  /** The client hung up before it had the whole response. */
  CLIENT_ABORTED: "reset",
  /** The client did not send its whole request in time (`timeouts.head`). */
  CLIENT_TIMEOUT: 408,
  /** The name of the server could not be resolved. */
  UPSTREAM_UNRESOLVED: 502,
  /** The server refused the connection. */
  UPSTREAM_REFUSED: 502,
  /** The server could not be reached: no route, network down. */
  UPSTREAM_UNREACHABLE: 502,
  /** The server did not accept the connection in time (`timeouts.connect`). */
  UPSTREAM_CONNECT_TIMEOUT: 504,
  /** The server did not answer in time (`timeouts.head`). */
  UPSTREAM_HEAD_TIMEOUT: 504,
  /** The server stopped in the middle of its answer (`timeouts.idle`). */
  UPSTREAM_IDLE_TIMEOUT: 504,
  /** The server's certificate is not trusted. */
  UPSTREAM_UNTRUSTED: 502,
  /** TLS with the server failed for another reason. */
  UPSTREAM_TLS: 502,
  /** The server closed or reset the connection before it answered. */
  UPSTREAM_CLOSED: 502,
  /** The server's connection ended in the middle of its answer. */
  UPSTREAM_ABORTED: 502,
  /** The server reset the stream of the request (HTTP/2); a client that speaks HTTP/2 gets the same reset. */
  UPSTREAM_RESET: 502,
  /** The proxy on the way to the server (`upstream.proxy`) could not be connected to, or its certificate is not trusted. */
  NEXT_PROXY_UNREACHABLE: 502,
  /** The proxy on the way did not open the tunnel in time (`timeouts.connect`). */
  NEXT_PROXY_TIMEOUT: 504,
  /** The proxy on the way hung up before it answered. */
  NEXT_PROXY_CLOSED: 502,
  /** The proxy on the way wants a name and a password, or others. */
  NEXT_PROXY_AUTH: 502,
  /** The proxy on the way does not open this tunnel; or an `httpConnect` hook did not let it. */
  NEXT_PROXY_REFUSED: 502,
  /** The proxy on the way does not speak what its URL says. */
  NEXT_PROXY_ANSWER: 502,
  /** The PAC file threw, did not end, or said what is not understood. */
  PAC_FAILED: 502,
  /** The PAC file could not be read. */
  PAC_UNREADABLE: 502,
  /** What PAC files run in is not installed. */
  PAC_ENGINE: 502,
  /** The application behind the proxy (option `app`) threw, or answered what cannot be sent. */
  APP_FAILED: 500,
  /** The application behind the proxy did not answer in time (`timeouts.head`), or stopped in the middle of its answer (`timeouts.idle`). */
  APP_TIMEOUT: 504,
  /** The request was for this proxy itself. */
  LOOP: 508,
  /** A rule dropped it. */
  DROPPED: "reset",
  /** `fault("reset")` reset it. */
  FAULT_RESET: "reset",
  /** `fault("empty")` closed it without a byte. */
  FAULT_EMPTY: "reset",
  /** `fault("malformed-chunk")` sent garbage where a chunk was due. */
  FAULT_MALFORMED_CHUNK: "reset",
  /** `fault("random-data")` sent garbage where the response was due. */
  FAULT_RANDOM_DATA: "reset",
  /** `fault("limit")` closed it after so many bytes. */
  FAULT_LIMIT: "reset",
  /** `fault("truncate")` sent less of the body than its length. */
  FAULT_TRUNCATED: "reset",
  /** `fault("timeout")` let nothing pass, and closed it. */
  FAULT_TIMEOUT: "reset",
  /** `flow.kill()` ended it. */
  KILLED: "reset",
  /** A hook, rule or matcher threw. */
  HOOK_FAILED: 502,
  /** The proxy was closed while it was in flight. */
  PROXY_CLOSED: "reset",
};

/** A failure that the wire itself reports; {@linkcode FAILURES} says what each means. */
export type FailureCode =
  | "CLIENT_ABORTED"
  | "CLIENT_TIMEOUT"
  | "UPSTREAM_UNRESOLVED"
  | "UPSTREAM_REFUSED"
  | "UPSTREAM_UNREACHABLE"
  | "UPSTREAM_CONNECT_TIMEOUT"
  | "UPSTREAM_HEAD_TIMEOUT"
  | "UPSTREAM_IDLE_TIMEOUT"
  | "UPSTREAM_UNTRUSTED"
  | "UPSTREAM_TLS"
  | "UPSTREAM_CLOSED"
  | "UPSTREAM_ABORTED"
  | "UPSTREAM_RESET"
  | "NEXT_PROXY_UNREACHABLE"
  | "NEXT_PROXY_TIMEOUT"
  | "NEXT_PROXY_CLOSED"
  | "NEXT_PROXY_AUTH"
  | "NEXT_PROXY_REFUSED"
  | "NEXT_PROXY_ANSWER"
  | "PAC_FAILED"
  | "PAC_UNREADABLE"
  | "PAC_ENGINE"
  | "APP_FAILED"
  | "APP_TIMEOUT"
  | "LOOP"
  | "DROPPED"
  | "FAULT_RESET"
  | "FAULT_EMPTY"
  | "FAULT_MALFORMED_CHUNK"
  | "FAULT_RANDOM_DATA"
  | "FAULT_LIMIT"
  | "FAULT_TRUNCATED"
  | "FAULT_TIMEOUT"
  | "KILLED"
  | "HOOK_FAILED"
  | "PROXY_CLOSED";

/** A code of {@linkcode FAILURES}, of the codec, or of an addon's own. */
export type FlowErrorCode = FailureCode | (string & Record<never, never>);

/** Why a flow failed. */
export interface FlowError {
  /** A stable identifier. */
  readonly code: FlowErrorCode;
  /** What happened, where, and what to do. */
  readonly message: string;
  /** The status that the client got for it; none when its connection was cut. */
  readonly status?: number;
  /** The error code with which a stream of HTTP/2 was reset (RFC 9113 section 7), by either side. */
  readonly resetCode?: number;
}

/** Refuses what an addon has set as `flow.error` and is none. */
export function checkFlowError(error: unknown): asserts error is FlowError {
  const { code, message } = (error ?? {}) as Partial<FlowError>;
  if (typeof code === "string" && typeof message === "string") return;
  throw new OptionsError(`flow.error is ${describeValue(error)}: { code, message } is accepted`);
}

/** How a failure of this code looks to the client. Codes that are not in {@linkcode FAILURES} are a 502. */
export function answerFor(error: FlowError): FailureAnswer {
  if (error.status !== undefined) return error.status;
  return Object.hasOwn(FAILURES, error.code) ? FAILURES[error.code as FailureCode] : 502;
}

/** Whether a code says that the server failed, not the client or a rule: such a failure belongs on a tape. */
export function isUpstreamFailure(error: FlowError): boolean {
  return error.code.startsWith("UPSTREAM_");
}
