/**
 * WebSockets in streams of HTTP/2 (RFC 8441 section 5), in the form that they have in HTTP/1.1: so the rest of the wire, and the hooks,
 * know one handshake only.
 *
 * @module
 */
import type { FlowHeaders } from "../../flow/headers.ts";
import { NO_BODY, type ResponseHead } from "../http1/head.ts";
import { stripFields } from "../http1/serializer.ts";
import { acceptFor, HTTP1_FIELDS, newKey, UPGRADE_FIELDS } from "../websocket/handshake.ts";
import { addLines } from "./field_lines.ts";

/** The protocol that an extended CONNECT can ask for here. */
export const WEBSOCKET = "websocket";

/** What only a handshake of HTTP/1.1 has: its first field lines. */
export interface HandshakeLines {
  /** Each ends with CRLF. */
  readonly lines: string;
  /** Which of them concern one connection, as in `Head`. */
  readonly hops: readonly number[];
}

/** The lines that an extended CONNECT does without. */
export function handshakeLines(): HandshakeLines {
  const first = UPGRADE_FIELDS.indexOf("\r\n") + 2;
  return {
    lines: `${UPGRADE_FIELDS}Sec-WebSocket-Key: ${newKey()}\r\n`,
    hops: [0, first, first, UPGRADE_FIELDS.length],
  };
}

/**
 * The section that asks a server for a WebSocket.
 *
 * @param lines the field lines of the handshake
 * @param host for a handshake without Host
 */
export function connectSection(
  { scheme, target, host }: { scheme: "http" | "https"; target: string; host: string },
  lines: string,
): string[] {
  const raw = [":method", "CONNECT", ":protocol", WEBSOCKET, ":scheme", scheme, ":authority", "", ":path", target];
  raw[7] = addLines(raw, stripFields(lines, HTTP1_FIELDS)) || host;
  return raw;
}

/** The answer that opens a WebSocket, as the 101 that means the same (RFC 8441 section 5.1). */
export function asSwitch(head: ResponseHead, handshake: FlowHeaders): ResponseHead {
  const accept = acceptFor(handshake.get("sec-websocket-key") ?? "");
  const lines = `${UPGRADE_FIELDS}Sec-WebSocket-Accept: ${accept}\r\n`;
  return {
    ...head,
    status: 101,
    reason: "Switching Protocols",
    framing: NO_BODY,
    fields: lines + stripFields(head.fields, HTTP1_FIELDS),
    hops: [],
    lengthAt: -1,
  };
}

/** The section that tells a client that its WebSocket is open, with the field lines of the 101. */
export function openedSection(lines: string): string[] {
  const raw = [":status", "200"];
  addLines(raw, stripFields(lines, HTTP1_FIELDS));
  return raw;
}
