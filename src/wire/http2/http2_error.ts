/**
 * What can go wrong with HTTP/2.
 *
 * @module
 */

/** The error codes (RFC 9113 section 7). */
export const ERROR_CODES = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

/** The name of an error code. */
export type ErrorName = keyof typeof ERROR_CODES;

/** The name of a code for messages; codes that are not known are numbers. */
export function errorName(code: number): string {
  return NAMES[code] ?? `0x${code.toString(16)}`;
}

const NAMES: readonly string[] = Object.keys(ERROR_CODES);

/** What the peer has done is an error: of one stream where one is named, else of the connection (RFC 9113 section 5.4). */
export class Http2Error extends Error {
  /** The name of the class. */
  override readonly name: string = "Http2Error";
  /** What the peer is told. */
  readonly code: ErrorName;
  /** The stream that is reset. 0: the connection ends. */
  readonly stream: number;

  /** @param message what it did, with the RFC */
  constructor(code: ErrorName, message: string, stream = 0) {
    super(message);
    this.code = code;
    this.stream = stream;
  }
}
