/**
 * What a proxy said instead of opening a tunnel.
 *
 * @module
 */
import type { FlowErrorCode } from "../../../flow/flow_error.ts";
import { FlowtapeError } from "../../../flow/error.ts";

/**
 * Why there is no tunnel: a `NEXT_PROXY_...` code of `FAILURES`, or an `UPSTREAM_...` code where a SOCKS proxy tells what is
 * wrong with the server. Where it is the proxy that failed, that says nothing of the server, and does not belong on a tape.
 */
export type ProxyFailureCode = FlowErrorCode;

/** A proxy that answered, but did not open the tunnel. */
export class ProxyRefusal extends FlowtapeError {
  override readonly name: string = "ProxyRefusal";

  /**
   * @param code what happened
   * @param message goes on after "the proxy http://host:port "
   */
  constructor(code: ProxyFailureCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** A hint at what the other end speaks, from the first byte of an answer that was not understood. */
export function soundsLike(byte: number | undefined): string {
  switch (byte) {
    case undefined:
      return "";
    case 0x15: // A TLS alert: the usual answer to a request that is not encrypted (RFC 8446 section 5.1).
    case 0x16:
      return ". It sounds like TLS: use https:// for the proxy";
    case 0x48: // The "H" of "HTTP/1.1 400 Bad Request".
      return ". It sounds like HTTP: use http:// for the proxy";
    case 0:
    case 5:
      return ". It sounds like SOCKS: use socks5h:// or socks4a:// for the proxy";
    default:
      return "";
  }
}
