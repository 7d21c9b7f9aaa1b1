/**
 * The head of a response: bytes to `ResponseHead`.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { explainLineEnd, quote } from "./field_line_error.ts";
import { CHUNKED, type Framing, NO_BODY, ofLength, type ResponseHead, UNTIL_CLOSE } from "./head.ts";
import { HeadFacts } from "./head_facts.ts";
import type { KnownField } from "./known_fields.ts";
import { CR, latin1, LF, SP, TEXT } from "./octets.ts";
import { ProtocolError } from "./protocol_error.ts";
import { explainVersion } from "./request_line.ts";
import { SectionScanner } from "./section_scanner.ts";
import { minorVersion } from "./version.ts";

/** Offset of the reason phrase in `HTTP/1.1 200 OK`. */
const REASON_AT = 13;

/** Scans response heads, one after the other. */
export class ResponseScanner extends SectionScanner {
  readonly #facts: HeadFacts = new HeadFacts();
  #version: "1.0" | "1.1" = "1.1";
  #status = 0;

  /** Prepares for the next head. */
  override reset(): void {
    super.reset();
    this.#facts.reset();
  }

  /** The head whose scan has ended: it is in `[start, end)`, its empty line included, and answers a request with this method. */
  head(bytes: Buffer, start: number, end: number, method: string | undefined): ResponseHead {
    const facts = this.#facts;
    const version = this.#version;
    const text = latin1(bytes, start, end - 2);
    const fields = text.slice(this.fieldsAt);
    facts.checkFraming(version);
    const framing = this.#framing(method);
    return {
      kind: "response",
      version,
      fields,
      framing,
      keepAlive: framing !== UNTIL_CLOSE && facts.keepAlive(version),
      hops: facts.hops(fields),
      lengthAt: facts.lengthAt,
      codingAt: facts.codingAt,
      upgrade: facts.upgrade(version),
      status: this.#status,
      reason: text.slice(REASON_AT, this.fieldsAt - 2),
    };
  }

  /** Reads the status line. */
  protected override startLine(bytes: Buffer, at: number, end: number): number {
    // "HTTP/1.1 200" CRLF: servers without a reason phrase often leave out the space as well, which changes nothing.
    if (at + 14 > end) return -1;
    const minor = minorVersion(bytes, at);
    const hundreds = bytes[at + 9]! - 0x30;
    const tens = bytes[at + 10]! - 0x30;
    const ones = bytes[at + 11]! - 0x30;
    if (
      minor === -1 || bytes[at + 8] !== SP ||
      !(hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)
    ) return -1;
    let p = at + 12;
    if (bytes[p] === SP) {
      p++;
      while (p < end && TEXT[bytes[p]!] === 1) p++;
    }
    if (p + 1 >= end || bytes[p] !== CR || bytes[p + 1] !== LF) return -1;
    this.#version = minor === 0 ? "1.0" : "1.1";
    this.#status = hundreds * 100 + tens * 10 + ones;
    return p + 2;
  }

  /** Why the status line is refused. */
  protected override explainStartLine(line: string): ProtocolError {
    const ending = explainLineEnd(line);
    if (ending?.code === "HTTP_BARE_LF") return ending;
    const version = line.slice(0, line.search(/[ \r]/));
    if (!/^HTTP\/1\.[0-9]$/.test(version)) {
      if (version.startsWith("HTTP/")) return explainVersion(version);
    }
    return new ProtocolError(
      "HTTP_START_LINE",
      `The status line ${quote(line)} is not a version, a status and a reason (RFC 9112 4)`,
    );
  }

  /** Takes note of a field. */
  protected override field(known: KnownField, bytes: Buffer, at: number, eol: number, origin: number): void {
    this.#facts.record(known, bytes, at, eol, origin);
  }

  /** The error for a head that is over the limit. */
  protected override tooLarge(limit: number): ProtocolError {
    return new ProtocolError("HTTP_HEADERS_TOO_LARGE", `The response head is larger than ${limit} bytes`, 431);
  }

  /** RFC 9112 6.3, in its order. */
  #framing(method: string | undefined): Framing {
    const status = this.#status;
    if (status < 200 || status === 204 || status === 304 || method === "HEAD") return NO_BODY;
    if (method === "CONNECT" && status < 300) return NO_BODY;
    if (this.#facts.codingAt !== -1) return CHUNKED;
    return this.#facts.lengthAt !== -1 ? ofLength(this.#facts.length) : UNTIL_CLOSE;
  }
}
