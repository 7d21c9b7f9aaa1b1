/**
 * What the fields of a head say about framing and about the connection, gathered while its bytes are scanned.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { contentLength, requireChunked } from "./framing_fields.ts";
import {
  CONNECTION,
  CONTENT_LENGTH,
  HOP_ONLY,
  type KnownField,
  TE,
  TRANSFER_ENCODING,
  UPGRADE,
} from "./known_fields.ts";
import { COLON, latin1, sameName, skipSpace, trimSpace } from "./octets.ts";
import { ProtocolError } from "./protocol_error.ts";
import { findLines } from "./field_lines.ts";

const NO_HOPS: readonly number[] = Object.freeze([]);
/** Options of Connection that name no field to drop; TE has a rule of its own. */
const NOT_FIELDS: ReadonlySet<string> = new Set(["close", "keep-alive", "upgrade", "te"]);
/** Never dropped because Connection names them: without these the message would be another one (RFC 9110 7.6.1, last paragraph). */
const END_TO_END: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding"]);

/** Facts about the fields of one head. One object serves all messages of a connection: `reset()` starts the next one. */
export class HeadFacts {
  /** Offset of the Content-Length line from the first field line, or -1. */
  lengthAt: number = -1;
  /** The value of Content-Length. */
  length = 0;
  /** Offset of the Transfer-Encoding line, or -1. Its value is `chunked`. */
  codingAt: number = -1;
  #hops: number[] | undefined;
  #close = false;
  #keepAlive = false;
  #upgradeListed = false;
  #upgrade: string | undefined;
  #named: Set<string> | undefined;

  /** Forgets the last head. */
  reset(): void {
    this.lengthAt = -1;
    this.length = 0;
    this.codingAt = -1;
    this.#hops = undefined;
    this.#close = false;
    this.#keepAlive = false;
    this.#upgradeListed = false;
    this.#upgrade = undefined;
    this.#named = undefined;
  }

  /** Takes note of the line `[at, eol)`; `origin` is where the first field line starts. */
  record(known: KnownField, bytes: Buffer, at: number, eol: number, origin: number): void {
    const from = valueStart(bytes, at, eol);
    const to = trimSpace(bytes, from, eol);
    switch (known) {
      case CONTENT_LENGTH:
        if (this.lengthAt !== -1) {
          throw new ProtocolError(
            "HTTP_CONTENT_LENGTH",
            "There are two Content-Length fields; one is allowed (RFC 9112 6.3)",
          );
        }
        this.length = contentLength(bytes, from, to);
        this.lengthAt = at - origin;
        break;
      case TRANSFER_ENCODING:
        if (this.codingAt !== -1) {
          throw new ProtocolError(
            "HTTP_TRANSFER_ENCODING",
            "There are two Transfer-Encoding fields; one, chunked, is accepted (RFC 9112 6.1)",
          );
        }
        requireChunked(bytes, from, to);
        this.codingAt = at - origin;
        break;
      case CONNECTION:
        this.#connection(bytes, from, to);
        this.hop(at - origin, eol + 2 - origin);
        break;
      case UPGRADE: {
        const value = latin1(bytes, from, to);
        this.#upgrade = this.#upgrade === undefined ? value : `${this.#upgrade}, ${value}`;
        this.hop(at - origin, eol + 2 - origin);
        break;
      }
      case TE:
        // `TE: trailers` is kept: only the end knows whether it reads trailers, and we forward them (RFC 9110 10.1.4).
        if (to - from !== 8 || !sameName(bytes, from, "trailers")) this.hop(at - origin, eol + 2 - origin);
        break;
      case HOP_ONLY:
        this.hop(at - origin, eol + 2 - origin);
        break;
    }
  }

  /** Adds a line to those that a proxy drops. */
  hop(start: number, end: number): void {
    if (this.#hops === undefined) this.#hops = [start, end];
    else this.#hops.push(start, end);
  }

  /** Refuses what is ambiguous between fields. */
  checkFraming(version: "1.0" | "1.1"): void {
    if (this.codingAt === -1) return;
    if (this.lengthAt !== -1) {
      throw new ProtocolError(
        "HTTP_LENGTH_AND_CHUNKED",
        "There are both Content-Length and Transfer-Encoding; which one counts is ambiguous (RFC 9112 6.3)",
      );
    }
    if (version === "1.0") {
      throw new ProtocolError(
        "HTTP_TRANSFER_ENCODING",
        "Transfer-Encoding in an HTTP/1.0 message: its framing is faulty (RFC 9112 6.1)",
      );
    }
  }

  /** Whether the connection persists after this message (RFC 9112 9.3). */
  keepAlive(version: "1.0" | "1.1"): boolean {
    return !this.#close && (version === "1.1" || this.#keepAlive);
  }

  /** The protocols to switch to. HTTP/1.0 cannot switch (RFC 9110 7.8). */
  upgrade(version: "1.0" | "1.1"): string | undefined {
    return this.#upgradeListed && version === "1.1" ? this.#upgrade : undefined;
  }

  /** The lines that a proxy drops, in order. */
  hops(fields: string): readonly number[] {
    if (this.#named !== undefined) this.#addNamed(fields, this.#named);
    return this.#hops ?? NO_HOPS;
  }

  #connection(bytes: Buffer, from: number, to: number): void {
    // The two values that nearly every Connection has, without a string.
    if (to - from === 10 && sameName(bytes, from, "keep-alive")) {
      this.#keepAlive = true;
      return;
    }
    if (to - from === 5 && sameName(bytes, from, "close")) {
      this.#close = true;
      return;
    }
    for (const part of latin1(bytes, from, to).split(",")) {
      const option = part.trim().toLowerCase();
      if (option === "close") this.#close = true;
      else if (option === "keep-alive") this.#keepAlive = true;
      else if (option === "upgrade") this.#upgradeListed = true;
      if (option !== "" && !NOT_FIELDS.has(option) && !END_TO_END.has(option)) (this.#named ??= new Set()).add(option);
    }
  }

  #addNamed(fields: string, named: ReadonlySet<string>): void {
    const hops = this.#hops ?? [];
    const starts = new Set(hops.filter((_, index) => index % 2 === 0));
    const lines = findLines(fields, (name, start) => starts.has(start) || named.has(name));
    if (lines.length > hops.length) this.#hops = lines;
  }
}

/** Where the value of the field line `[at, eol)` starts. */
export function valueStart(bytes: Uint8Array, at: number, eol: number): number {
  while (bytes[at] !== COLON) at++;
  return skipSpace(bytes, at + 1, eol);
}
