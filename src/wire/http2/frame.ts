/**
 * Frames as bytes (RFC 9113 sections 4 and 6).
 *
 * @module
 */
import type { Buffer } from "node:buffer";

/** The types of frames. Others are ignored (RFC 9113 section 4.1). */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** The flags of frames; what a bit means depends on the type. */
export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 0x20 } as const;

/** What a client sends first (RFC 9113 section 3.4). */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** The length of the head of a frame. */
export const HEAD_BYTES = 9;
/** The largest frame that is sent, and that is accepted: the initial value of SETTINGS_MAX_FRAME_SIZE. */
export const MAX_FRAME = 16_384;
/** The largest flow-control window (RFC 9113 section 6.9.1). */
export const MAX_WINDOW: number = 2 ** 31 - 1;

/** A frame, or a piece of a DATA frame that is still arriving. */
export interface Frame {
  /** One of {@linkcode FRAME}, or unknown. */
  readonly type: number;
  /** Without END_STREAM on all pieces but the last. */
  readonly flags: number;
  /** 0: it is for the connection. */
  readonly stream: number;
  /** Without padding. */
  readonly payload: Buffer;
  /** How much flow control counts: padding included. */
  readonly size: number;
}

/** The head of a frame, latin1. */
export function frameHead(length: number, type: number, flags: number, stream: number): string {
  return String.fromCharCode(length >>> 16, length >>> 8 & 255, length & 255, type, flags) + uint32(stream);
}

/** SETTINGS. */
export function settingsFrame(settings: readonly (readonly [id: number, value: number])[]): string {
  const payload = settings.map(([id, value]) => String.fromCharCode(id >>> 8, id & 255) + uint32(value)).join("");
  return frameHead(payload.length, FRAME.SETTINGS, 0, 0) + payload;
}

/** The acknowledgement of SETTINGS. */
export const SETTINGS_ACK: string = frameHead(0, FRAME.SETTINGS, FLAG.ACK, 0);

/** WINDOW_UPDATE. */
export function windowUpdate(stream: number, increment: number): string {
  return frameHead(4, FRAME.WINDOW_UPDATE, 0, stream) + uint32(increment);
}

/** RST_STREAM. */
export function resetFrame(stream: number, code: number): string {
  return frameHead(4, FRAME.RST_STREAM, 0, stream) + uint32(code);
}

/** The answer to PING. */
export function pong(payload: Buffer): string {
  return frameHead(payload.length, FRAME.PING, FLAG.ACK, 0) + payload.toString("latin1");
}

/** GOAWAY. */
export function goAwayFrame(last: number, code: number, why: string): string {
  // Debug data is for people; characters that latin1 has not are of no use to them.
  const text = why.replace(/[^\x20-\x7e]/g, "?");
  return frameHead(8 + text.length, FRAME.GOAWAY, 0, 0) + uint32(last) + uint32(code) + text;
}

function uint32(value: number): string {
  return String.fromCharCode(value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255);
}
