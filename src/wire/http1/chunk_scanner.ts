/**
 * The line that starts a chunk (RFC 9112 7.1): its size, and extensions that nobody reads.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { explainLineEnd, quote } from "./field_line_error.ts";
import { CR, HEX, HT, latin1, LF, SEMICOLON, SP, TEXT } from "./octets.ts";
import { ProtocolError } from "./protocol_error.ts";

/** The longest chunk line, and the most bytes of extensions in one message: extensions mean nothing, so they may not cost anything. */
const MAX_LINE = 4096;
const MAX_EXTENSIONS = 16384;
/** More digits than any size has that is not refused, so that padding with zeros has an end too. */
const MAX_DIGITS = 16;

/** Scans chunk lines; `size` is what the last one said. */
export class ChunkScanner {
  /** The size of the chunk; 0: the last chunk. */
  size = 0;
  #extensions = 0;
  #searched = 0;

  /** Prepares for the next message. */
  reset(): void {
    this.#extensions = 0;
    this.#searched = 0;
  }

  /** Reads the line that starts at `at`; returns the offset after its CRLF, or -1: more bytes are needed. */
  scan(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + MAX_LINE);
    let p = at;
    if (this.#searched === 0 || bytes.indexOf(LF, at + this.#searched) !== -1) {
      let size = 0;
      let digit = 0;
      while (p < end && (digit = HEX[bytes[p]!]!) >= 0) {
        size = size * 16 + digit;
        p++;
      }
      const digits = p - at;
      p = skipExtensions(bytes, p, end);
      if (
        digits > 0 && digits <= MAX_DIGITS && size <= Number.MAX_SAFE_INTEGER &&
        p + 1 < end && bytes[p] === CR && bytes[p + 1] === LF
      ) {
        this.#extensions += p - at - digits;
        if (this.#extensions > MAX_EXTENSIONS) throw tooLong();
        this.#searched = 0;
        this.size = size;
        return p + 2;
      }
      const lf = bytes.indexOf(LF, at);
      if (lf !== -1 && lf < end) throw explain(latin1(bytes, at, lf + 1));
    }
    if (end - at === MAX_LINE) throw tooLong();
    this.#searched = end - at;
    return -1;
  }
}

/** Where the extensions that may start at `from` end: `*( BWS ";" ... )`, so white space without a semicolon is none. */
function skipExtensions(bytes: Uint8Array, from: number, end: number): number {
  if (bytes[from] === CR) return from;
  let p = from;
  while (p < end && (bytes[p] === SP || bytes[p] === HT)) p++;
  if (p >= end || bytes[p] !== SEMICOLON) return from;
  while (p < end && TEXT[bytes[p]!] === 1) p++;
  return p;
}

function explain(line: string): ProtocolError {
  const ending = explainLineEnd(line);
  if (ending?.code === "HTTP_BARE_LF") return ending;
  return new ProtocolError(
    "HTTP_CHUNK_SIZE",
    `The chunk line ${quote(line)} is not a hexadecimal size up to 2^53 - 1 (RFC 9112 7.1)`,
  );
}

function tooLong(): ProtocolError {
  return new ProtocolError(
    "HTTP_CHUNK_SIZE",
    `Chunk extensions are longer than ${MAX_LINE} bytes in one line or ${MAX_EXTENSIONS} in one message (RFC 9112 7.1.1)`,
  );
}
