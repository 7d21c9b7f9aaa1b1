/**
 * WebSocket frames as bytes (RFC 6455 5.2).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Side } from "../../flow/websocket.ts";
import { CONTINUATION, type ControlOpcode, type DataOpcode, type FrameHead } from "./frame.ts";
import { applyMask, maskKey } from "./mask.ts";

/** What the first frame of a message says of all of it. */
export interface MessageKind {
  /** Text or binary. */
  readonly opcode: DataOpcode;
  /** Whether the payload is compressed. */
  readonly compressed: boolean;
}

const NO_KEY: Buffer = Buffer.alloc(0);

/** Writes the frames of one direction: masked towards a server, each with a new key, and not masked towards a client. */
export class FrameWriter {
  readonly #masks: boolean;
  #key: Buffer = NO_KEY;
  #remaining = 0;
  #done = 0;

  /** @param to who gets the frames */
  constructor(to: Side) {
    this.#masks = to === "server";
  }

  /**
   * The frames of a message as one buffer.
   *
   * @param sizes how many bytes of the payload each frame has
   * @param end whether the last of them ends the message
   */
  frames(
    kind: MessageKind,
    payload: Uint8Array,
    sizes: readonly number[] = [payload.length],
    end: "whole" | "continued" = "whole",
  ): Buffer {
    const overhead = this.#masks ? 4 : 0;
    let length = payload.length;
    for (const size of sizes) length += lengthBytes(size) + overhead;
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    let from = 0;
    for (const [index, size] of sizes.entries()) {
      const fin = end === "whole" && index === sizes.length - 1;
      const first = index === 0 ? firstByte(kind.opcode, fin, kind.compressed) : firstByte(CONTINUATION, fin, false);
      at = this.#frame(bytes, at, first, payload.subarray(from, from += size));
    }
    return bytes;
  }

  /** A control frame. */
  control(opcode: ControlOpcode, payload: Uint8Array): Buffer {
    const bytes = Buffer.allocUnsafe(2 + (this.#masks ? 4 : 0) + payload.length);
    this.#frame(bytes, 0, firstByte(opcode, true, false), payload);
    return bytes;
  }

  /** The head of a data frame whose payload follows in pieces. */
  begin(head: FrameHead): Buffer {
    const key = this.#masks ? maskKey() : NO_KEY;
    const bytes = Buffer.allocUnsafe(lengthBytes(head.length) + key.length);
    writeHead(bytes, 0, firstByte(head.opcode, head.fin, head.compressed), head.length, key);
    this.#key = key;
    this.#remaining = head.length;
    this.#done = 0;
    return bytes;
  }

  /** A piece of the payload that {@linkcode FrameWriter.begin} announced. */
  payload(piece: Uint8Array): Uint8Array {
    this.#remaining -= piece.length;
    if (!this.#masks) return piece;
    const bytes = Buffer.allocUnsafe(piece.length);
    applyMask(bytes, 0, piece, this.#key, this.#done);
    this.#done += piece.length;
    return bytes;
  }

  /** Whether a frame was begun whose payload is not complete: nothing else may be written now. */
  get inFrame(): boolean {
    return this.#remaining > 0;
  }

  #frame(bytes: Buffer, at: number, first: number, payload: Uint8Array): number {
    const key = this.#masks ? maskKey() : NO_KEY;
    at = writeHead(bytes, at, first, payload.length, key);
    if (this.#masks) applyMask(bytes, at, payload, key, 0);
    else bytes.set(payload, at);
    return at + payload.length;
  }
}

function firstByte(opcode: number, fin: boolean, compressed: boolean): number {
  return (fin ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode;
}

/** How many bytes a head without a mask has. */
function lengthBytes(length: number): number {
  return length < 126 ? 2 : length < 65536 ? 4 : 10;
}

function writeHead(bytes: Buffer, at: number, first: number, length: number, key: Buffer): number {
  const mask = key.length > 0 ? 0x80 : 0;
  bytes[at++] = first;
  if (length < 126) {
    bytes[at++] = mask | length;
  } else if (length < 65536) {
    bytes[at++] = mask | 126;
    at = bytes.writeUInt16BE(length, at);
  } else {
    bytes[at++] = mask | 127;
    at = bytes.writeUInt32BE(Math.floor(length / 2 ** 32), at);
    at = bytes.writeUInt32BE(length >>> 0, at);
  }
  bytes.set(key, at);
  return at + key.length;
}
