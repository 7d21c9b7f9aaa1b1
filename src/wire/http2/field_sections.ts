/**
 * Field sections in HEADERS and CONTINUATION frames (RFC 9113 section 4.3).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { FLAG, FRAME, type Frame, frameHead, MAX_FRAME } from "./frame.ts";
import { FieldDecoder } from "./hpack/decoder.ts";
import { encodeFields } from "./hpack/encoder.ts";
import { Http2Error } from "./http2_error.ts";

/** A field section that is complete. */
export interface FieldSection {
  /** Names and values in turn; `undefined`: it is too large. */
  readonly raw: string[] | undefined;
  /** It ends its stream. */
  readonly end: boolean;
}

/** The field sections of both directions of a connection. */
export class FieldSections {
  /** The stream of the section that is coming. */
  stream = 0;

  readonly #decoder: FieldDecoder;
  readonly #limit: number;
  #parts: Buffer[] | undefined;
  #size = 0;
  #end = false;
  #sent = false;

  /** @param limit how large a section may be, in bytes */
  constructor(limit: number) {
    this.#limit = limit;
    this.#decoder = new FieldDecoder(limit);
  }

  /** Whether a section has begun that is not complete. */
  get begun(): boolean {
    return this.#parts !== undefined;
  }

  /**
   * Takes a HEADERS or CONTINUATION frame.
   *
   * @returns the section, when it is complete
   */
  receive({ type, flags, stream, payload }: Frame): FieldSection | undefined {
    if (type === FRAME.HEADERS) {
      this.stream = stream;
      this.#end = (flags & FLAG.END_STREAM) !== 0;
      if ((flags & FLAG.END_HEADERS) !== 0) return { raw: this.#decoder.decode(payload), end: this.#end };
      this.#parts = [];
      this.#size = 0;
    }
    if (this.#parts === undefined) {
      throw new Http2Error("PROTOCOL_ERROR", "CONTINUATION continues nothing (RFC 9113 6.10)");
    }
    this.#size += payload.length;
    // What is larger than this cannot be within the limit; empty frames without end are no better.
    if (this.#size > this.#limit + MAX_FRAME || this.#parts.length > MAX_PARTS) {
      throw new Http2Error(
        "ENHANCE_YOUR_CALM",
        `a field section is larger than ${this.#limit} bytes (limits.headBytes)`,
      );
    }
    this.#parts.push(payload);
    if ((flags & FLAG.END_HEADERS) === 0) return undefined;
    const whole = Buffer.concat(this.#parts);
    this.#parts = undefined;
    return { raw: this.#decoder.decode(whole), end: this.#end };
  }

  /** The frames of a section. */
  encode(stream: number, raw: readonly string[], end: boolean): (string | Buffer)[] {
    const block = encodeFields(raw, !this.#sent);
    this.#sent = true;
    const frames: (string | Buffer)[] = [];
    for (let at = 0; at === 0 || at < block.length; at += MAX_FRAME) {
      const part = block.subarray(at, at + MAX_FRAME);
      const flags = (at === 0 && end ? FLAG.END_STREAM : 0) | (at + MAX_FRAME >= block.length ? FLAG.END_HEADERS : 0);
      frames.push(frameHead(part.length, at === 0 ? FRAME.HEADERS : FRAME.CONTINUATION, flags, stream), part);
    }
    return frames;
  }
}

const MAX_PARTS = 64;
