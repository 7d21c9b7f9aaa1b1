/**
 * The errors for what is not a WebSocket as RFC 6455 and RFC 7692 have it.
 *
 * @module
 */
import { FlowtapeError } from "../../flow/error.ts";

/**
 * What was wrong with the bytes:
 *
 * | code | refused | close code |
 * |---|---|---|
 * | `WS_MASK` | an unmasked frame of a client, a masked one of a server | 1002 |
 * | `WS_RESERVED` | a reserved bit that no extension gave a meaning | 1002 |
 * | `WS_OPCODE` | a reserved opcode | 1002 |
 * | `WS_CONTROL` | a control frame that is fragmented or has more than 125 bytes | 1002 |
 * | `WS_LENGTH` | a length that is not written the shortest way, or has its first bit set | 1002 |
 * | `WS_FRAGMENT` | a continuation of nothing, or a new message inside another | 1002 |
 * | `WS_CLOSE` | a close frame with half a code, or a code that may not be sent | 1002 |
 * | `WS_UTF8` | a text message or close reason that is not UTF-8 | 1007 |
 * | `WS_DEFLATE` | a compressed message that cannot be inflated | 1007 |
 * | `WS_TOO_LARGE` | a frame or an inflated message over its limit | 1009 |
 */
export type WebSocketErrorCode =
  | "WS_MASK"
  | "WS_RESERVED"
  | "WS_OPCODE"
  | "WS_CONTROL"
  | "WS_LENGTH"
  | "WS_FRAGMENT"
  | "WS_CLOSE"
  | "WS_UTF8"
  | "WS_DEFLATE"
  | "WS_TOO_LARGE";

/** One side broke the protocol: the conversation is over (RFC 6455 7.1.7). */
export class WebSocketError extends FlowtapeError {
  /** `"WebSocketError"` */
  override readonly name: string = "WebSocketError";
  /** What was wrong: compare this, never the message. */
  declare readonly code: WebSocketErrorCode;

  /**
   * Makes the error.
   *
   * @param code what was wrong
   * @param message what was found, and what the RFC asks for
   */
  constructor(code: WebSocketErrorCode, message: string) {
    super(code, message);
  }

  /** The code of the close frame that answers it. */
  get closeCode(): number {
    return CLOSE_CODES[this.code] ?? 1002;
  }
}

const CLOSE_CODES: { readonly [code in WebSocketErrorCode]?: number } = {
  WS_UTF8: 1007,
  WS_DEFLATE: 1007,
  WS_TOO_LARGE: 1009,
};

/** The server's answer to a handshake is one that a client must refuse (RFC 6455 4.1). */
export class HandshakeError extends FlowtapeError {
  /** `"HandshakeError"` */
  override readonly name: string = "HandshakeError";

  /** @param message what was found, and what the RFC asks for */
  constructor(message: string) {
    super("WS_HANDSHAKE", message);
  }
}
