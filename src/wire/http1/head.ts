/**
 * What the parser says about the head of a message. The field lines stay one string: pairs are made when somebody looks.
 *
 * @module
 */

import type { HttpVersion } from "../../flow/message.ts";

/** How the end of a body is found (RFC 9112 6.3). */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

/** What requests and responses have in common. */
export interface Head {
  /** The version to answer in. A minor version above 1 is read as 1.1 (RFC 9110 2.5). A head of HTTP/2 has the same shape. */
  readonly version: HttpVersion;
  /** The raw field lines, latin1, each ended by CRLF; neither the start line nor the final empty line. */
  readonly fields: string;
  /** How the end of the body is found. */
  readonly framing: Framing;
  /** Whether the sender means to keep the connection open after this message (RFC 9112 9.3). */
  readonly keepAlive: boolean;
  /** `[start, end, start, end, ...]`: the lines in `fields` that a forwarding proxy drops (RFC 9110 7.6.1), in order. */
  readonly hops: readonly number[];
  /** Where the Content-Length line starts in `fields`, or -1. */
  readonly lengthAt: number;
  /** Where the Transfer-Encoding line starts in `fields`, or -1. */
  readonly codingAt: number;
  /** The value of Upgrade, when Connection lists `upgrade` and the version allows it (RFC 9110 7.8). */
  readonly upgrade: string | undefined;
}

/** The head of a request. */
export interface RequestHead extends Head {
  /** Tells heads apart. */
  readonly kind: "request";
  /** The method, as it was sent; methods are case-sensitive. */
  readonly method: string;
  /** The request target as it was sent, in one of the four forms of RFC 9112 3.2; latin1. */
  readonly target: string;
  /** The value of Host; `""` when it is empty, `undefined` when there is none. */
  readonly host: string | undefined;
  /** Whether the client waits for `100 Continue` before it sends the body (RFC 9110 10.1.1). */
  readonly expectContinue: boolean;
}

/** The head of a response. */
export interface ResponseHead extends Head {
  /** Tells heads apart. */
  readonly kind: "response";
  /** The status, 100 to 999. */
  readonly status: number;
  /** The reason phrase; `""` when there is none. */
  readonly reason: string;
}

/** No body. */
export const NO_BODY: Framing = Object.freeze({ kind: "none" });
/** A body of chunks. */
export const CHUNKED: Framing = Object.freeze({ kind: "chunked" });
/** A body that ends with the connection. */
export const UNTIL_CLOSE: Framing = Object.freeze({ kind: "close" });

/** A body without bytes. */
export const EMPTY: Framing = Object.freeze({ kind: "length", length: 0 });

/** A body of `length` bytes. */
export function ofLength(length: number): Framing {
  return length === 0 ? EMPTY : { kind: "length", length };
}
