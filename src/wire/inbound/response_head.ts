/**
 * The head of a response as the client that gets it can read it.
 *
 * @module
 */
import type { HttpVersion } from "../../flow/message.ts";
import type { ResponseOut } from "../exchange/response_out.ts";
import { type Framing, UNTIL_CLOSE } from "../http1/head.ts";
import { statusLine } from "../http1/serializer.ts";

/** What is sent, and what becomes of the connection. */
export interface ClientHead {
  /** Status line and fields. */
  readonly text: string;
  readonly framing: Framing;
  /** Whether another request may follow. */
  readonly keepAlive: boolean;
}

/**
 * Writes the head for a client of HTTP/1.0 or 1.1.
 *
 * @param version of its request
 * @param keepAlive whether another request may follow as far as the client is concerned
 */
export function clientHead(out: ResponseOut, version: HttpVersion | undefined, keepAlive: boolean): ClientHead {
  let { fields, framing } = out;
  // An HTTP/1.0 client cannot read chunks (RFC 9112 section 6.1).
  if (version === "1.0" && framing.kind === "chunked") {
    framing = UNTIL_CLOSE;
    fields = fields.replace(/^transfer-encoding:.*\r\n/im, "");
  }
  if (framing.kind === "close") keepAlive = false;
  if (!keepAlive) fields += "Connection: close\r\n";
  else if (version === "1.0") fields += "Connection: keep-alive\r\n";
  return { text: `${statusLine(out.status, out.reason)}${fields}\r\n`, framing, keepAlive };
}
