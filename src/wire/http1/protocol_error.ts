/**
 * The error for bytes that are not HTTP/1.1, or that two parsers could read differently.
 *
 * @module
 */
import { FlowtapeError } from "../../flow/error.ts";

/**
 * What was wrong with a message:
 *
 * | code | refused |
 * |---|---|
 * | `HTTP_START_LINE` | a start line that is not one, or a status line without a status |
 * | `HTTP_METHOD` | a method that is not a token |
 * | `HTTP_TARGET` | a target of no form that the method allows, or with spaces or controls; 414 when too long |
 * | `HTTP_VERSION` | a version that is malformed (400) or not 1.x (505) |
 * | `HTTP_HEADER_NAME` | a field name that is not a token, or white space before its colon |
 * | `HTTP_HEADER_VALUE` | NUL, bare CR or another control in a field value |
 * | `HTTP_OBS_FOLD` | a field line that starts with white space |
 * | `HTTP_BARE_LF` | a line that ends with LF alone |
 * | `HTTP_HEADERS_TOO_LARGE` | a head or trailer section over the limit (431) |
 * | `HTTP_CONTENT_LENGTH` | a Content-Length that is repeated, not digits, or too large; a CONNECT with content |
 * | `HTTP_TRANSFER_ENCODING` | anything but one `chunked`; 501 for another coding under `chunked` |
 * | `HTTP_LENGTH_AND_CHUNKED` | Content-Length with Transfer-Encoding |
 * | `HTTP_HOST` | two Host lines, or a value that is not a host |
 * | `HTTP_CHUNK_SIZE` | a chunk line that is not a size, or too long |
 * | `HTTP_CHUNK` | a chunk that is not followed by CRLF |
 * | `HTTP_TRAILERS` | a trailer field that frames or routes a message |
 * | `HTTP_TRUNCATED` | the peer closed in the middle of a message |
 */
export type ProtocolErrorCode =
  | "HTTP_START_LINE"
  | "HTTP_METHOD"
  | "HTTP_TARGET"
  | "HTTP_VERSION"
  | "HTTP_HEADER_NAME"
  | "HTTP_HEADER_VALUE"
  | "HTTP_OBS_FOLD"
  | "HTTP_BARE_LF"
  | "HTTP_HEADERS_TOO_LARGE"
  | "HTTP_CONTENT_LENGTH"
  | "HTTP_TRANSFER_ENCODING"
  | "HTTP_LENGTH_AND_CHUNKED"
  | "HTTP_HOST"
  | "HTTP_CHUNK_SIZE"
  | "HTTP_CHUNK"
  | "HTTP_TRAILERS"
  | "HTTP_TRUNCATED";

/** A message that is refused. The connection it came on cannot be used any further: where the next one starts is unknown. */
export class ProtocolError extends FlowtapeError {
  /** `"ProtocolError"` */
  override readonly name: string = "ProtocolError";
  /** What was wrong: compare this, never the message. */
  declare readonly code: ProtocolErrorCode;
  /** What a server answers to such a request: 400, 414, 431, 501 or 505. */
  readonly status: number;

  /**
   * Makes the error.
   *
   * @param code what was wrong
   * @param message what was found, and what the RFC asks for
   * @param status what a server answers
   */
  constructor(code: ProtocolErrorCode, message: string, status = 400) {
    super(code, message);
    this.status = status;
  }
}
