/**
 * The header fields of a message as they leave the proxy: without those that concern one connection only, and with those that
 * say how the body ends.
 *
 * @module
 */
import type { FlowHeaders } from "../../flow/headers.ts";
import type { Message } from "../../flow/message.ts";
import { CHUNKED, type Framing, type Head, NO_BODY, ofLength } from "../http1/head.ts";
import { withoutFraming, withoutHops } from "../http1/serializer.ts";

/** A message ready to be written: field lines and how its body ends. */
export interface Framed {
  readonly fields: string;
  readonly framing: Framing;
}

/** Which bodies a message can have. */
export type BodyKind =
  /** Any. */
  | "any"
  /** None: a 204, a request without content. */
  | "none"
  /** None, but its fields may tell the length of one: a response to HEAD, a 304. */
  | "described";

/**
 * How a message leaves. Untouched, it keeps its lines to the letter; edited, its fields are written anew and its body is framed by
 * what it is now.
 *
 * @param head as it came; none for a message made by an addon
 */
export function framed(message: Message, head: Head | undefined, kind: BodyKind): Framed {
  const { headers, content } = message;
  // A body where there was none needs a frame: a 304 that was made a 200.
  const appeared = kind === "any" && head?.framing.kind === "none";
  if (head !== undefined && !message.bodyEdited && !appeared) {
    const fields = headers.edited
      ? rewritten(headers, head.framing, kind)
      // A length where there can be no body would be misread (RFC 9110 section 8.6).
      : kind === "none"
      ? withoutFraming(head)
      : withoutHops(head);
    // In HTTP/2 no field need say how a body ends.
    const unframed = head.framing.kind !== "none" && head.codingAt < 0 && head.lengthAt < 0 && !headers.edited;
    return { fields: unframed ? fields + framingLine(head.framing) : fields, framing: head.framing };
  }
  if (kind !== "any") return { fields: rewritten(headers, NO_BODY, kind), framing: NO_BODY };
  // Only chunks can have trailers behind them (RFC 9112 section 7.1.2).
  const length = content.complete ? content.kept : content.expected;
  const framing = length !== undefined && message.trailers === undefined ? ofLength(length) : CHUNKED;
  return { fields: rewritten(headers, framing, kind), framing };
}

/** The lines of edited fields, with Content-Length or Transfer-Encoding as the framing wants it, in the place where it stood. */
function rewritten(headers: FlowHeaders, framing: Framing, kind: BodyKind): string {
  const line = framingLine(framing);
  const text = headers.fields;
  // What most responses of a rule look like.
  if (!SPECIAL.test(text)) return text + line;
  // Without Host it would be another message (RFC 9110 section 7.6.1).
  const named = namedByConnection(headers).filter((name) => name !== "host");
  let written = line === "";
  let fields = "";
  for (const [name, value] of headers.raw) {
    const key = name.toLowerCase();
    if (key === "content-length" && kind === "described") {
      fields += `${name}: ${value}\r\n`;
    } else if (key === "content-length" || key === "transfer-encoding") {
      // The sender's own spelling stays where the line still says the truth.
      if (!written) fields += line.toLowerCase().startsWith(`${key}:`) ? name + line.slice(key.length) : line;
      written = true;
    } else if (key === "te" ? value.toLowerCase() === "trailers" : !HOPS.has(key) && !named.includes(key)) {
      fields += `${name}: ${value}\r\n`;
    }
  }
  return written ? fields : fields + line;
}

/** The lines of a message that has no body, whatever they say of one (RFC 9110 section 8.6). */
export function withoutFramingLines(headers: FlowHeaders): string {
  return rewritten(headers, NO_BODY, "none");
}

/** Fields that concern one connection (RFC 9110 section 7.6.1). */
export const HOPS: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "upgrade",
  "proxy-authorization",
]);
/** Every field that {@linkcode rewritten} has to do with. */
const SPECIAL =
  /^(?:connection|proxy-connection|keep-alive|upgrade|proxy-authorization|te|content-length|transfer-encoding):/im;

function framingLine(framing: Framing): string {
  switch (framing.kind) {
    case "length":
      return `Content-Length: ${framing.length}\r\n`;
    case "chunked":
      return "Transfer-Encoding: chunked\r\n";
    default:
      return "";
  }
}

/** The fields that Connection names, in lower case. */
export function namedByConnection(headers: FlowHeaders): string[] {
  return headers.getAll("connection").flatMap((value) => value.split(",")).map((name) => name.trim().toLowerCase());
}
