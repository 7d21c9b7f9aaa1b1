/**
 * The payload of close frames (RFC 6455 5.5.1, 7.4).
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { WebSocketError } from "./websocket_error.ts";

/** What a close frame says. */
export interface CloseReason {
  /** The code; 1005 when there was none. */
  readonly code: number;
  /** The reason, often `""`. */
  readonly reason: string;
}

/** Stands for a close frame without a code (RFC 6455 7.1.5). */
export const NO_STATUS = 1005;
/** Stands for a connection that ended without a close frame (RFC 6455 7.1.5). */
export const ABNORMAL = 1006;

/** A control frame has up to 125 bytes, and the code takes two. */
const MAX_REASON_BYTES = 123;

/**
 * Reads the payload of a close frame.
 *
 * @throws {WebSocketError} `WS_CLOSE`, `WS_UTF8`
 */
export function readClose(payload: Buffer): CloseReason {
  if (payload.length === 0) return { code: NO_STATUS, reason: "" };
  if (payload.length === 1) {
    throw new WebSocketError("WS_CLOSE", "A close frame has one byte; a code has two (RFC 6455 5.5.1)");
  }
  const code = payload.readUInt16BE(0);
  if (!mayBeSent(code)) {
    throw new WebSocketError("WS_CLOSE", `A close frame has the code ${code}, which may not be sent (RFC 6455 7.4)`);
  }
  const reason = payload.subarray(2);
  if (!isUtf8(reason)) {
    throw new WebSocketError("WS_UTF8", "The reason of a close frame is not UTF-8 (RFC 6455 5.5.1)");
  }
  return { code, reason: reason.toString("utf8") };
}

/** The payload of a close frame. A reason that is too long for one is cut between two characters. */
export function closePayload(code: number, reason: string = ""): Buffer {
  if (code === NO_STATUS) return Buffer.alloc(0);
  let text = Buffer.from(reason, "utf8");
  if (text.length > MAX_REASON_BYTES) {
    let end = MAX_REASON_BYTES;
    while ((text[end]! & 0xc0) === 0x80) end--;
    text = text.subarray(0, end);
  }
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16BE(code, 0);
  payload.set(text, 2);
  return payload;
}

/**
 * Whether a close frame may have this code: those of RFC 6455 7.4.1 and the later ones of the IANA registry (1012 to 1014), but not
 * 1004, and not 1005, 1006 and 1015, which stand for something that was not sent; and the ranges for libraries and applications.
 */
export function mayBeSent(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== NO_STATUS && code !== ABNORMAL;
}
