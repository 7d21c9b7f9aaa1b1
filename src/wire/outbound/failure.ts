/**
 * What went wrong between the proxy and a server, in the words of the flow.
 *
 * @module
 */
import type { FailureCode, FlowError } from "../../flow/flow_error.ts";
import type { ProtocolError } from "../http1/protocol_error.ts";

/** How long a server may take, in milliseconds. */
export interface UpstreamTimeouts {
  /** From the request to the head of its response. */
  readonly head: number;
  /** Between two pieces of a response. */
  readonly idle: number;
}

type UpstreamCode = Extract<FailureCode, `UPSTREAM_${string}`>;

const BY_SYSTEM_CODE: Readonly<Record<string, readonly [UpstreamCode, string]>> = {
  ENOTFOUND: ["UPSTREAM_UNRESOLVED", "its name cannot be resolved"],
  EAI_AGAIN: ["UPSTREAM_UNRESOLVED", "its name cannot be resolved now"],
  EAI_NODATA: ["UPSTREAM_UNRESOLVED", "its name has no address"],
  EAI_FAIL: ["UPSTREAM_UNRESOLVED", "its name cannot be resolved"],
  ECONNREFUSED: ["UPSTREAM_REFUSED", "it refused the connection: does the server run?"],
  ConnectionRefused: ["UPSTREAM_REFUSED", "it refused the connection: does the server run?"],
  EHOSTUNREACH: ["UPSTREAM_UNREACHABLE", "there is no route to it"],
  ENETUNREACH: ["UPSTREAM_UNREACHABLE", "there is no route to its network"],
  EADDRNOTAVAIL: ["UPSTREAM_UNREACHABLE", "its address cannot be used from here"],
  ETIMEDOUT: ["UPSTREAM_CONNECT_TIMEOUT", "it did not accept the connection in time"],
  ECONNRESET: ["UPSTREAM_CLOSED", "it reset the connection"],
  EPIPE: ["UPSTREAM_CLOSED", "it closed the connection"],
};

// Node and Bun name OpenSSL's reasons; Deno puts the reason of its own TLS into the message.
const UNTRUSTED =
  /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_|INVALID_CA|HOSTNAME_MISMATCH|ERR_CERT)|invalid peer certificate|unable to verify|self[- ]signed|certificate (?:has expired|is not)/i;
const TLS = /^(?:ERR_SSL|ERR_TLS|EPROTO)|ssl|tls|handshake/i;

/** What came is no record of TLS: every runtime has OpenSSL's name for that. */
const NOT_TLS = /^ERR_SSL_(?:WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG)$/;

/** RFC 8446 section 6.2, `certificate_required`; servers of TLS 1.2 only say that the handshake failed. */
const CERTIFICATE_WANTED = /CERTIFICATE_?REQUIRED/i;

/**
 * The failure of a connection attempt, or of an established connection.
 *
 * @param error what the socket reported
 * @param to the server, as `host:port`; with the name that was asked for where that is another
 */
export function connectionFailure(error: unknown, to: string): FlowError {
  const { code, text } = describe(error);
  const known = BY_SYSTEM_CODE[code];
  if (known !== undefined) return { code: known[0], message: `cannot reach ${to}: ${known[1]} (${code})` };
  if (CERTIFICATE_WANTED.test(`${code} ${text}`.replaceAll(" ", "_"))) {
    return {
      code: "UPSTREAM_TLS",
      message:
        `TLS with ${to} failed: it requires a certificate of its client. Give one with upstream: { clientCertificates }`,
    };
  }
  if (NOT_TLS.test(code)) {
    return {
      code: "UPSTREAM_TLS",
      message:
        `TLS with ${to} failed: the server answered in plain HTTP, or in another protocol without TLS. Use http:// ` +
        `in the URL, or the port on which it speaks TLS`,
    };
  }
  if (UNTRUSTED.test(code) || UNTRUSTED.test(text)) {
    // Node goes on with advice for its own command line.
    const why = text.replace(/;.*$/s, "");
    return {
      code: "UPSTREAM_UNTRUSTED",
      message: `the certificate of ${to} is not trusted: ${why}${code && !why.includes(code) ? ` (${code})` : ""}. ` +
        `${remedy(`${code} ${text}`)}, or accept it with upstream: { verify: false }`,
    };
  }
  if (TLS.test(code) || TLS.test(text)) {
    return { code: "UPSTREAM_TLS", message: `TLS with ${to} failed: ${reasonOf(error, text)}` };
  }
  return { code: "UPSTREAM_CLOSED", message: `the connection to ${to} failed: ${text}` };
}

function remedy(reason: string): string {
  if (/expired|not[ _]yet[ _]valid/i.test(reason)) return "Renew it";
  if (/altname|hostname/i.test(reason)) return "Issue it for the name in the request";
  const unless = "Deno" in globalThis ? " (unless it has expired, which Deno does not tell)" : "";
  return `Give its authority with upstream: { ca }${unless}`;
}

/** The failure of a server whose bytes are not HTTP/1.1, or stop too early. */
export function responseFailure(error: ProtocolError, to: string): FlowError {
  if (error.code === "HTTP_TRUNCATED") {
    return { code: "UPSTREAM_ABORTED", message: `${to} closed the connection in the middle of its answer` };
  }
  return { code: error.code, message: `the answer of ${to} is not valid HTTP: ${error.message}`, status: 502 };
}

/** The failure of a server that is silent for longer than it may: before the head of its answer, or behind it. */
export function silence(to: string, { head, idle }: UpstreamTimeouts, since: "request" | "head"): FlowError {
  return since === "head"
    ? {
      code: "UPSTREAM_IDLE_TIMEOUT",
      message: `${to} sent nothing for ${idle} ms in the middle of its answer (timeouts.idle)`,
    }
    : { code: "UPSTREAM_HEAD_TIMEOUT", message: `${to} did not answer within ${head} ms (timeouts.head)` };
}

/** What OpenSSL says apart from where in its sources it says so. */
function reasonOf(error: unknown, text: string): string {
  const { reason } = error as { reason?: unknown };
  if (typeof reason === "string" && reason !== "") return reason.replaceAll("_", " ").toLowerCase();
  return /error:[0-9a-f]+:SSL routines:[^:]*:([^:]+)/i.exec(text)?.[1] ?? text;
}

function describe(error: unknown): { code: string; text: string } {
  // Happy eyeballs report one error for each address that was tried.
  const one = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] as unknown : error;
  if (!(one instanceof Error)) return { code: "", text: String(one) };
  const code = (one as NodeJS.ErrnoException).code ?? "";
  return { code: String(code), text: one.message || String(code) };
}
