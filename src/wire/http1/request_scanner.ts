/**
 * The head of a request: bytes to `RequestHead`.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { CHUNKED, type Framing, NO_BODY, ofLength, type RequestHead } from "./head.ts";
import { HeadFacts, valueStart } from "./head_facts.ts";
import { EXPECT, HOST, type KnownField, PROXY_AUTHORIZATION } from "./known_fields.ts";
import { CR, latin1, LF, sameName, SP, TARGET, TOKEN, trimSpace } from "./octets.ts";
import { ProtocolError } from "./protocol_error.ts";
import { checkHost, checkTargetForm, explainRequestLine } from "./request_line.ts";
import { SectionScanner } from "./section_scanner.ts";
import { minorVersion } from "./version.ts";

const SLASH = 0x2f;
const LENGTH_OF_CONNECT = 7;

/** Scans request heads, one after the other. */
export class RequestScanner extends SectionScanner {
  readonly #facts: HeadFacts = new HeadFacts();
  // Offsets from the start of the head.
  #methodEnd = 0;
  #targetEnd = 0;
  #version: "1.0" | "1.1" = "1.1";
  // Offsets from the first field line; -1: no Host.
  #hostFrom = -1;
  #hostTo = -1;
  #expect = false;
  /** The last Host that was found well: a connection mostly says the same again. */
  #knownHost = "";

  /** Prepares for the next head. */
  override reset(): void {
    super.reset();
    this.#facts.reset();
    this.#hostFrom = -1;
    this.#expect = false;
  }

  /** The head whose scan has ended: it is in `[start, end)`, its empty line included. */
  head(bytes: Buffer, start: number, end: number): RequestHead {
    const facts = this.#facts;
    const version = this.#version;
    const text = latin1(bytes, start, end - 2);
    const fields = text.slice(this.fieldsAt);
    const method = text.slice(0, this.#methodEnd);
    facts.checkFraming(version);
    return {
      kind: "request",
      version,
      fields,
      framing: this.#framing(method),
      keepAlive: facts.keepAlive(version),
      hops: facts.hops(fields),
      lengthAt: facts.lengthAt,
      codingAt: facts.codingAt,
      upgrade: facts.upgrade(version),
      method,
      target: text.slice(this.#methodEnd + 1, this.#targetEnd),
      host: this.#host(fields),
      // RFC 9110 10.1.1: in an HTTP/1.0 request it is ignored.
      expectContinue: this.#expect && version === "1.1",
    };
  }

  /** Reads the request line. */
  protected override startLine(bytes: Buffer, at: number, end: number): number {
    let p = at;
    while (p < end && TOKEN[bytes[p]!] === 1) p++;
    if (p === at || p >= end || bytes[p] !== SP) return -1;
    const methodEnd = p++;
    while (p < end && TARGET[bytes[p]!] === 1) p++;
    // " HTTP/1.1" CRLF
    if (p === methodEnd + 1 || p + 11 > end || bytes[p] !== SP) return -1;
    const minor = minorVersion(bytes, p + 1);
    if (minor === -1 || bytes[p + 9] !== CR || bytes[p + 10] !== LF) return -1;
    if (bytes[methodEnd + 1] !== SLASH || methodEnd - at === LENGTH_OF_CONNECT) {
      checkTargetForm(latin1(bytes, at, methodEnd), latin1(bytes, methodEnd + 1, p));
    }
    this.#methodEnd = methodEnd - at;
    this.#targetEnd = p - at;
    this.#version = minor === 0 ? "1.0" : "1.1";
    return p + 11;
  }

  /** Why the request line is refused. */
  protected override explainStartLine(line: string): ProtocolError {
    return explainRequestLine(line);
  }

  /** Takes note of a field. */
  protected override field(known: KnownField, bytes: Buffer, at: number, eol: number, origin: number): void {
    switch (known) {
      case HOST: {
        if (this.#hostFrom !== -1) {
          throw new ProtocolError("HTTP_HOST", "There are two Host fields; one is allowed (RFC 9112 3.2)");
        }
        const from = valueStart(bytes, at, eol);
        this.#hostFrom = from - origin;
        this.#hostTo = trimSpace(bytes, from, eol) - origin;
        break;
      }
      case EXPECT: {
        const from = valueStart(bytes, at, eol);
        if (trimSpace(bytes, from, eol) - from === 12 && sameName(bytes, from, "100-continue")) this.#expect = true;
        break;
      }
      case PROXY_AUTHORIZATION:
        this.#facts.hop(at - origin, eol + 2 - origin);
        break;
      default:
        this.#facts.record(known, bytes, at, eol, origin);
    }
  }

  /** The error for a head that is over the limit. */
  protected override tooLarge(limit: number): ProtocolError {
    if (this.fieldsAt === -1) {
      return new ProtocolError("HTTP_TARGET", `The request line is longer than ${limit} bytes (RFC 9112 3)`, 414);
    }
    return new ProtocolError(
      "HTTP_HEADERS_TOO_LARGE",
      `The request head is larger than ${limit} bytes (RFC 6585 5)`,
      431,
    );
  }

  #host(fields: string): string | undefined {
    if (this.#hostFrom === -1) return undefined;
    const host = fields.slice(this.#hostFrom, this.#hostTo);
    if (host !== this.#knownHost) {
      checkHost(host);
      this.#knownHost = host;
    }
    return host;
  }

  #framing(method: string): Framing {
    const { codingAt, lengthAt, length } = this.#facts;
    if (codingAt === -1 && lengthAt === -1) return NO_BODY;
    if (method === "CONNECT") {
      // What follows a CONNECT belongs to the tunnel (RFC 9110 9.3.6): with a body, where that starts would be ambiguous.
      if (codingAt === -1 && length === 0) return NO_BODY;
      const code = codingAt === -1 ? "HTTP_CONTENT_LENGTH" : "HTTP_TRANSFER_ENCODING";
      throw new ProtocolError(code, "A CONNECT request has a body; it cannot have one (RFC 9110 9.3.6)");
    }
    return codingAt !== -1 ? CHUNKED : ofLength(length);
  }
}
