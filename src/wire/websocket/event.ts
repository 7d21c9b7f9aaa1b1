/**
 * What a conversation reports.
 *
 * @module
 */
import type { Side, WebSocketMessage } from "../../flow/websocket.ts";
import type { WebSocketError } from "./websocket_error.ts";

/** Bytes to write. Write them in the order in which they come. */
export interface ConversationBytes {
  /** Tells the events apart. */
  readonly type: "bytes";
  /** To whom. */
  readonly to: Side;
  /** The bytes. */
  readonly bytes: Uint8Array;
}

/** A message is complete, or was injected. */
export interface ConversationMessage {
  /** Tells the events apart. */
  readonly type: "message";
  /** The message. */
  readonly message: WebSocketMessage;
  /**
   * Whether it waits for `release()`, and everything else from that side with it. Otherwise it has passed: it was injected, or is too long
   * to be held.
   */
  readonly held: boolean;
}

/** A ping or pong passes: the proxy answers none itself, so that the two ends see each other. */
export interface ConversationPing {
  /** Tells the events apart. */
  readonly type: "ping" | "pong";
  /** Who sent it. */
  readonly from: Side;
  /** Its payload. */
  readonly data: Uint8Array;
}

/** A close frame passes. */
export interface ConversationClose {
  /** Tells the events apart. */
  readonly type: "close";
  /** Who sent it. */
  readonly from: Side;
  /** The code; 1005 when there was none. */
  readonly code: number;
  /** The reason. */
  readonly reason: string;
}

/** One side broke the protocol. Close frames for both sides follow, then the end. */
export interface ConversationError {
  /** Tells the events apart. */
  readonly type: "error";
  /** Who broke it. */
  readonly from: Side;
  /** How. */
  readonly error: WebSocketError;
}

/** Nothing follows: both connections are to be ended when all bytes are written. */
export interface ConversationEnd {
  /** Tells the events apart. */
  readonly type: "end";
  /** Who closed first, cut the connection, or broke the protocol. */
  readonly by: Side | "proxy";
  /** Whether each side has sent a close frame, or the proxy has closed. */
  readonly clean: boolean;
  /** The first close code: 1005 for a close frame without one, 1006 when there was no close frame. */
  readonly code: number;
  /** The reason of that. */
  readonly reason: string;
}

/** What a conversation reports. */
export type ConversationEvent =
  | ConversationBytes
  | ConversationMessage
  | ConversationPing
  | ConversationClose
  | ConversationError
  | ConversationEnd;
