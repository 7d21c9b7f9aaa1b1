/**
 * Why a SOCKS client is refused, and what it is told.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { FlowtapeError } from "../../../flow/error.ts";

/** Why a tunnel is not opened: the reply codes of RFC 1928 section 6. SOCKS 4 knows one code for all of them. */
export type SocksRefusal = keyof typeof REPLIES;

const REPLIES = {
  general: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  connectionRefused: 5,
  ttlExpired: 6,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const;

/**
 * What was wrong with a handshake:
 *
 * | code | refused |
 * |---|---|
 * | `SOCKS_VERSION` | the first byte is neither 4 nor 5 |
 * | `SOCKS_METHOD` | the client offers no way of authentication that is accepted here |
 * | `SOCKS_AUTH` | a wrong name or password, or none where one is needed |
 * | `SOCKS_COMMAND` | something else than CONNECT |
 * | `SOCKS_ADDRESS` | an address that is none |
 * | `SOCKS_MALFORMED` | bytes that are no SOCKS |
 * | `SOCKS_CLIENT_CLOSED` | the client hung up before it had asked for anything |
 * | `SOCKS_TIMEOUT` | the client took too long |
 */
export type SocksErrorCode =
  | "SOCKS_VERSION"
  | "SOCKS_METHOD"
  | "SOCKS_AUTH"
  | "SOCKS_COMMAND"
  | "SOCKS_ADDRESS"
  | "SOCKS_MALFORMED"
  | "SOCKS_CLIENT_CLOSED"
  | "SOCKS_TIMEOUT";

/** A SOCKS handshake that failed. */
export class SocksError extends FlowtapeError {
  override readonly name: string = "SocksError";
  declare readonly code: SocksErrorCode;
  /** What the client is told before its connection is closed; empty where the protocol has no words for it. */
  readonly reply: Buffer;

  /**
   * @param code the stable identifier
   * @param message what happened, and what to do
   * @param reply what the client is told
   */
  constructor(code: SocksErrorCode, message: string, reply: Buffer = Buffer.alloc(0), options?: ErrorOptions) {
    super(code, message, options);
    this.reply = reply;
  }
}

/** The reply of SOCKS 4 to a request: granted, or rejected for whatever reason. */
export function socks4Reply(refusal?: SocksRefusal): Buffer {
  // A version of 0, and an address and port that CONNECT gives no meaning to.
  return Buffer.from([0, refusal === undefined ? 0x5a : 0x5b, 0, 0, 0, 0, 0, 0]);
}

/** The reply of SOCKS 5 to a request (RFC 1928 section 6): succeeded, or refused for a reason. */
export function socks5Reply(refusal?: SocksRefusal): Buffer {
  // The bound address is 0.0.0.0:0: the proxy may answer before there is a connection, or without one ever.
  return Buffer.from([5, refusal === undefined ? 0 : REPLIES[refusal], 0, 1, 0, 0, 0, 0, 0, 0]);
}

/** The refusal that says most about a failure of a flow: `UPSTREAM_REFUSED` and the like. */
export function socksRefusalFor(failureCode: string): SocksRefusal {
  switch (failureCode) {
    case "UPSTREAM_REFUSED":
      return "connectionRefused";
    case "UPSTREAM_UNRESOLVED":
      return "hostUnreachable";
    case "UPSTREAM_UNREACHABLE":
      return "networkUnreachable";
    case "UPSTREAM_CONNECT_TIMEOUT":
      return "ttlExpired";
    case "DROPPED":
    case "KILLED":
    case "LOOP":
      return "notAllowed";
    default:
      return "general";
  }
}
