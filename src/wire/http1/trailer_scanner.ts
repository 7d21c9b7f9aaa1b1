/**
 * The trailer section of a chunked body.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { KnownField } from "./known_fields.ts";
import { latin1 } from "./octets.ts";
import { quote } from "./field_line_error.ts";
import { ProtocolError } from "./protocol_error.ts";
import { SectionScanner } from "./section_scanner.ts";

/**
 * Scans trailers. Fields that frame or route a message, or concern the connection, are refused, not dropped: no sender may generate
 * them (RFC 9110 6.5.1), and a peer further on that merges trailers into the head would act on them.
 */
export class TrailerScanner extends SectionScanner {
  /** The field lines of the section in `[start, end)`, its empty line included. */
  fields(bytes: Buffer, start: number, end: number): string {
    return latin1(bytes, start, end - 2);
  }

  /** There is none: the first field line is here. */
  protected override startLine(_bytes: Buffer, at: number): number {
    return at;
  }

  /** Never called. */
  protected override explainStartLine(): ProtocolError {
    return new ProtocolError("HTTP_TRAILERS", "Trailers have no start line");
  }

  /** Refuses what the codec would act on in a head. */
  protected override field(_known: KnownField, bytes: Buffer, at: number, eol: number): void {
    throw new ProtocolError(
      "HTTP_TRAILERS",
      `The trailer ${quote(latin1(bytes, at, eol))} belongs into the head (RFC 9110 6.5.1)`,
    );
  }

  /** The error for trailers that are over the limit. */
  protected override tooLarge(limit: number): ProtocolError {
    return new ProtocolError("HTTP_HEADERS_TOO_LARGE", `The trailers are larger than ${limit} bytes`, 431);
  }
}
