/**
 * The header fields of a message as they leave the proxy: without those that concern one connection only, and with those that
 * say how the body ends.
 *
 * @module
 */
import type { FlowHeaders } from "../../flow/headers.ts";
import { type Framing, type Head, ofLength, CHUNKED } from "../http1/head.ts";
import { withoutHops } from "../http1/serializer.ts";
import type { Message } from "../../flow/message.ts";

/** A message ready to be written: field lines and how its body ends. */
export interface Framed {
  readonly fields: string;
  readonly framing: Framing;
}

/** Fields that concern one connection (RFC 9110 section 7.6.1). */
const HOPS = new Set(["connection", "proxy-connection", "keep-alive", "upgrade", "proxy-authorization"]);

/**
 * How a message leaves. Untouched, it keeps its lines to the letter; edited, its fields are written anew and its body is framed by
 * what it is now.
 *
 * @param head as it came; none for a message made by an addon
 * @param lengthOnly the fields describe a body that is not sent: a response to HEAD, or a 304
 */
export function framed(message: Message, head: Head | undefined, options: { bodiless: boolean; lengthOnly: boolean }): Framed {
  const { headers } = message;
  if (head !== undefined && !message.bodyEdited) {
    const fields = headers.edited ? rewritten(headers, head.framing, options.lengthOnly) : withoutHops(head);
    return { fields, framing: head.framing };
  }
  if (options.bodiless) {
    return { fields: rewritten(headers, { kind: "none" }, options.lengthOnly), framing: { kind: "none" } };
  }
  const framing = message.content.complete ? ofLength(message.encodedBody.length) : CHUNKED;
  return { fields: rewritten(headers, framing, false), framing };
}

/** The lines of edited fields, with Content-Length or Transfer-Encoding as the framing wants it, in the place where it stood. */
function rewritten(headers: FlowHeaders, framing: Framing, lengthOnly: boolean): string {
  const named = new Set(HOPS);
  for (const value of headers.getAll("connection")) {
    for (const name of value.split(",")) named.add(name.trim().toLowerCase());
  }
  const framingLine = framing.kind === "length"
    ? `Content-Length: ${framing.length}\r\n`
    : framing.kind === "chunked"
    ? "Transfer-Encoding: chunked\r\n"
    : "";
  let written = framingLine === "";
  let fields = "";
  for (const [name, value] of headers.raw) {
    const key = name.toLowerCase();
    if (key === "content-length" || key === "transfer-encoding") {
      if (lengthOnly && key === "content-length") fields += `${name}: ${value}\r\n`;
      else if (!written) {
        written = true;
        // The sender's own spelling stays where its line still says the truth.
        fields += framingLine.toLowerCase().startsWith(`${key}:`) ? name + framingLine.slice(key.length) : framingLine;
      }
    } else if (key === "te" ? value.toLowerCase() === "trailers" : !named.has(key)) {
      fields += `${name}: ${value}\r\n`;
    }
  }
  return written ? fields : fields + framingLine;
}
