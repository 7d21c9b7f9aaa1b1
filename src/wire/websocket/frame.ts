/**
 * Frames, and what the parser reports of them (RFC 6455 5.2).
 *
 * @module
 */
import type { Buffer } from "node:buffer";

/** The opcode of a frame that continues a message. */
export const CONTINUATION = 0x0;
/** The opcode of a text message. */
export const TEXT = 0x1;
/** The opcode of a binary message. */
export const BINARY = 0x2;
/** The opcode of a close frame. */
export const CLOSE = 0x8;
/** The opcode of a ping. */
export const PING = 0x9;
/** The opcode of a pong. */
export const PONG = 0xa;

/** The opcodes of control frames. */
export type ControlOpcode = typeof CLOSE | typeof PING | typeof PONG;
/** The opcodes of data frames. */
export type DataOpcode = typeof CONTINUATION | typeof TEXT | typeof BINARY;

/** The head of a data frame, but for its mask. */
export interface FrameHead {
  /** Whether it is the last of its message. */
  readonly fin: boolean;
  /** RSV1: the message is compressed (RFC 7692 6). Only the first frame of a message has it. */
  readonly compressed: boolean;
  /** What it carries. */
  readonly opcode: DataOpcode;
  /** How many bytes of payload follow. */
  readonly length: number;
}

/** A data frame starts. */
export interface FrameHeadEvent {
  /** Tells the events apart. */
  readonly type: "head";
  /** Its head. */
  readonly head: FrameHead;
}

/** A piece of a data frame's payload, unmasked. An empty frame has one empty piece. */
export interface FrameDataEvent {
  /** Tells the events apart. */
  readonly type: "data";
  /** The bytes. */
  readonly data: Buffer;
  /** Whether it is the last of its frame. */
  readonly final: boolean;
}

/** A control frame, whole. It may come between the frames of a message, never inside one (RFC 6455 5.4). */
export interface ControlEvent {
  /** Tells the events apart. */
  readonly type: "control";
  /** Which. */
  readonly opcode: ControlOpcode;
  /** Its payload, unmasked. */
  readonly data: Buffer;
}

/** What the parser reports: one head and at least one data for each data frame, one control for each control frame. */
export type FrameEvent = FrameHeadEvent | FrameDataEvent | ControlEvent;
