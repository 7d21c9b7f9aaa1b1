/**
 * The fields that the codec acts on, recognised from bytes by length first: most names are passed over with one comparison.
 *
 * @module
 */
import { sameName } from "./octets.ts";

/** One of the constants below. */
export type KnownField = number;

/** Any other field. */
export const NOT_KNOWN = 0;
/** Host */
export const HOST = 1;
/** Content-Length */
export const CONTENT_LENGTH = 2;
/** Transfer-Encoding */
export const TRANSFER_ENCODING = 3;
/** Connection */
export const CONNECTION = 4;
/** Upgrade */
export const UPGRADE = 5;
/** Expect */
export const EXPECT = 6;
/** TE */
export const TE = 7;
/** Keep-Alive and Proxy-Connection: they concern one connection and say nothing that the codec needs. */
export const HOP_ONLY = 8;
/** Proxy-Authorization: for the proxy that asked (RFC 9110 11.7.2). */
export const PROXY_AUTHORIZATION = 9;

/** Which known field the `length` bytes at `at` name. */
export function recognise(bytes: Uint8Array, at: number, length: number): KnownField {
  switch (length) {
    case 2:
      return sameName(bytes, at, "te") ? TE : NOT_KNOWN;
    case 4:
      return sameName(bytes, at, "host") ? HOST : NOT_KNOWN;
    case 6:
      return sameName(bytes, at, "expect") ? EXPECT : NOT_KNOWN;
    case 7:
      return sameName(bytes, at, "upgrade") ? UPGRADE : NOT_KNOWN;
    case 10:
      if (sameName(bytes, at, "connection")) return CONNECTION;
      return sameName(bytes, at, "keep-alive") ? HOP_ONLY : NOT_KNOWN;
    case 14:
      return sameName(bytes, at, "content-length") ? CONTENT_LENGTH : NOT_KNOWN;
    case 16:
      return sameName(bytes, at, "proxy-connection") ? HOP_ONLY : NOT_KNOWN;
    case 17:
      return sameName(bytes, at, "transfer-encoding") ? TRANSFER_ENCODING : NOT_KNOWN;
    case 19:
      return sameName(bytes, at, "proxy-authorization") ? PROXY_AUTHORIZATION : NOT_KNOWN;
    default:
      return NOT_KNOWN;
  }
}
