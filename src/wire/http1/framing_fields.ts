/**
 * The values of the two fields that frame a body. Each has one accepted form: what two parsers could read differently is refused.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { quote } from "./field_line_error.ts";
import { latin1, sameName } from "./octets.ts";
import { ProtocolError } from "./protocol_error.ts";

/**
 * The value of Content-Length in `[from, to)`, white space around it removed (that is legal around any value, RFC 9112 5; inside it
 * is not): digits, at most `Number.MAX_SAFE_INTEGER`. RFC 9110 8.6 lets a recipient accept "5, 5"; it need not, and we do not.
 */
export function contentLength(bytes: Buffer, from: number, to: number): number {
  let length = from === to ? NaN : 0;
  for (let p = from; p < to; p++) {
    const digit = bytes[p]! - 0x30;
    length = digit >= 0 && digit <= 9 ? length * 10 + digit : NaN;
    // The comparison is false for NaN as well.
    if (!(length <= Number.MAX_SAFE_INTEGER)) break;
  }
  if (length <= Number.MAX_SAFE_INTEGER) return length;
  const value = quote(latin1(bytes, from, to));
  throw new ProtocolError(
    "HTTP_CONTENT_LENGTH",
    `Content-Length is ${value}; it must be one decimal number up to 2^53 - 1 (RFC 9110 8.6)`,
  );
}

/** Accepts the value of Transfer-Encoding in `[from, to)` when it is `chunked` alone, and throws otherwise. */
export function requireChunked(bytes: Buffer, from: number, to: number): void {
  if (to - from === 7 && sameName(bytes, from, "chunked")) return;
  const value = latin1(bytes, from, to);
  // RFC 9112 6.3: without a final `chunked` the length cannot be known, which is a 400; 6.1: a coding that is not implemented is a 501.
  const codings = value.toLowerCase().split(/[ \t]*,[ \t]*/);
  const framed = codings.indexOf("chunked") === codings.length - 1;
  const status = framed && codings.every((coding) => /^[a-z0-9!#$%&'*+\-.^_`|~]+$/.test(coding)) ? 501 : 400;
  throw new ProtocolError(
    "HTTP_TRANSFER_ENCODING",
    `Transfer-Encoding is ${quote(value)}; only "chunked", once and alone, is accepted (RFC 9112 6.1)`,
    status,
  );
}
