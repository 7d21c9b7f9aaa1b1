/**
 * The loop over the lines of a head or trailer section: one pass over the bytes, resumable, linear however they arrive.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { explainFieldLine } from "./field_line_error.ts";
import { COLON, CR, latin1, LF, TEXT, TOKEN } from "./octets.ts";
import { type KnownField, NOT_KNOWN, recognise } from "./known_fields.ts";
import type { ProtocolError } from "./protocol_error.ts";

/**
 * Scans a section line by line. The scan accepts or stops, nothing more: when it stops, either the line has not arrived whole, or
 * the line is cut out and explained at leisure. So an error is the same however the bytes were split.
 */
export abstract class SectionScanner {
  readonly #limit: number;
  /** Offset of the line in hand from the start of the section. */
  #line = 0;
  /** How far the line in hand was searched for its end, from the start of the section; 0: not at all. */
  #searched = 0;
  /** Offset of the first field line from the start of the section; -1: the start line has not been read. */
  protected fieldsAt: number = -1;

  /**
   * Makes a scanner.
   *
   * @param limit how many bytes the whole section may have, its empty line included
   */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Prepares for the next section. */
  reset(): void {
    this.#line = 0;
    this.#searched = 0;
    this.fieldsAt = -1;
  }

  /**
   * Reads on in the section that starts at `start`.
   *
   * @returns the offset after the empty line that ends the section, or -1: more bytes are needed
   */
  scan(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + this.#limit);
    if (this.#searched !== 0 && !hasLineEnd(bytes, start + this.#searched, end)) return this.#wait(start, end);
    let at = start + this.#line;
    if (this.fieldsAt === -1) {
      const next = this.startLine(bytes, at, end);
      if (next === -1) return this.#stop(bytes, start, at, end);
      at = next;
      this.fieldsAt = at - start;
    }
    const origin = start + this.fieldsAt;
    for (;;) {
      let p = at;
      while (p < end && TOKEN[bytes[p]!] === 1) p++;
      const colon = p;
      if (colon === at || colon === end || bytes[colon] !== COLON) {
        if (at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) return at + 2;
        return this.#stop(bytes, start, at, end);
      }
      p++;
      while (p < end && TEXT[bytes[p]!] === 1) p++;
      if (p + 1 >= end || bytes[p] !== CR || bytes[p + 1] !== LF) return this.#stop(bytes, start, at, end);
      const known = recognise(bytes, at, colon - at);
      if (known !== NOT_KNOWN) this.field(known, bytes, at, p, origin);
      at = p + 2;
    }
  }

  /** Reads the start line; returns the offset of the next line, or -1 when the line is unfinished or wrong. */
  protected abstract startLine(bytes: Buffer, at: number, end: number): number;

  /** Why `startLine` refuses this line, which ends with LF. */
  protected abstract explainStartLine(line: string): ProtocolError;

  /** Takes note of a field the codec acts on. Its line is `[at, eol)`, and `origin` is where the first field line starts. */
  protected abstract field(known: KnownField, bytes: Buffer, at: number, eol: number, origin: number): void;

  /** The error for a section that is over the limit. */
  protected abstract tooLarge(limit: number): ProtocolError;

  #stop(bytes: Buffer, start: number, at: number, end: number): number {
    this.#line = at - start;
    if (!hasLineEnd(bytes, at, end)) return this.#wait(start, end);
    const line = latin1(bytes, at, bytes.indexOf(LF, at) + 1);
    throw this.fieldsAt === -1 ? this.explainStartLine(line) : explainFieldLine(line);
  }

  #wait(start: number, end: number): number {
    if (end - start === this.#limit) throw this.tooLarge(this.#limit);
    this.#searched = end - start;
    return -1;
  }
}

function hasLineEnd(bytes: Buffer, from: number, end: number): boolean {
  const lf = bytes.indexOf(LF, from);
  return lf !== -1 && lf < end;
}
