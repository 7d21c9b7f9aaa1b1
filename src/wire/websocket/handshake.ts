/**
 * The opening handshake (RFC 6455 4), over HTTP/1.1 and as an extended CONNECT (RFC 8441 5).
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { FlowHeaders } from "../../flow/headers.ts";
import type { Message } from "../../flow/message.ts";
import type { FlowRequest, Scheme } from "../../flow/request.ts";
import { HOPS, namedByConnection } from "../exchange/fields.ts";
import { lineEnd } from "../http1/field_lines.ts";
import type { Head } from "../http1/head.ts";
import { setField, stripFields } from "../http1/serializer.ts";
import { type DeflateParameters, negotiate, supportedOffer } from "./extensions.ts";
import { HandshakeError } from "./websocket_error.ts";

/** The fields of a handshake that HTTP/2 has not: an extended CONNECT does without them (RFC 8441 5). */
export const HTTP1_FIELDS: ReadonlySet<string> = new Set([
  "connection",
  "upgrade",
  "sec-websocket-key",
  "sec-websocket-accept",
]);

/** What makes a handshake of a message that has none of these fields: those that {@linkcode upgradeFields} would keep. */
export const UPGRADE_FIELDS = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * Whether a request of HTTP/1.1 asks for a WebSocket. Whether it does so in the right way is for the server to say: a version that
 * it does not know is answered with 426, a bad key with 400 (RFC 6455 4.2.2), and the client gets that answer.
 *
 * @param upgrade the value of Upgrade, when Connection lists it
 */
export function asksForWebSocket(method: string, upgrade: string | undefined): boolean {
  return method === "GET" && upgrade !== undefined && listed(upgrade, "websocket");
}

/** The scheme of a WebSocket that was asked for with the scheme of a request. */
export function webSocketScheme(scheme: Scheme): "ws" | "wss" {
  return scheme === "https" || scheme === "wss" ? "wss" : "ws";
}

/** A new value for Sec-WebSocket-Key: for a handshake whose client has none, being one of HTTP/2. */
export function newKey(): string {
  return randomBytes(16).toString("base64");
}

/** The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (RFC 6455 4.2.2). */
export function acceptFor(key: string): string {
  return createHash("sha1").update(key + GUID).digest("base64");
}

/**
 * Checks a 101 as the client would (RFC 6455 4.1).
 *
 * @param request the fields that the server got
 * @param response the fields of its answer
 * @returns what was negotiated of compression
 * @throws {HandshakeError} a client must refuse this answer
 */
export function checkSwitch(request: FlowHeaders, response: FlowHeaders): DeflateParameters | undefined {
  if (!listed(response.get("upgrade") ?? "", "websocket") || !listed(response.get("connection") ?? "", "upgrade")) {
    throw new HandshakeError(
      "The server has answered 101, but its Upgrade is not websocket or its Connection does not list it (RFC 6455 4.1)",
    );
  }
  const key = request.get("sec-websocket-key");
  const accept = response.get("sec-websocket-accept");
  if (key === null || accept !== acceptFor(key)) {
    throw new HandshakeError(
      `The server's Sec-WebSocket-Accept is ${JSON.stringify(accept)}, which does not answer the key ${
        JSON.stringify(key)
      } (RFC 6455 4.1)`,
    );
  }
  return checkNegotiation(request, response);
}

/**
 * Checks what a server has chosen: all there is to check in the answer to an extended CONNECT.
 *
 * @param request the fields that the server got
 * @param response the fields of its answer
 * @returns what was negotiated of compression
 * @throws {HandshakeError} a client must refuse this answer
 */
export function checkNegotiation(request: FlowHeaders, response: FlowHeaders): DeflateParameters | undefined {
  const chosen = response.get("sec-websocket-protocol");
  if (chosen !== null && !subprotocols(request).includes(chosen)) {
    throw new HandshakeError(
      `The server has chosen the subprotocol ${JSON.stringify(chosen)}, which was not offered (RFC 6455 4.1)`,
    );
  }
  return negotiate(request.getAll("sec-websocket-extensions"), response.getAll("sec-websocket-extensions"));
}

/** The subprotocols of Sec-WebSocket-Protocol, in order of preference. */
export function subprotocols(headers: FlowHeaders): string[] {
  return headers.getAll("sec-websocket-protocol")
    .flatMap((value) => value.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/**
 * The fields of a handshake as they are passed on. Connection and Upgrade concern one connection, so a proxy that takes part in the
 * handshake sends its own (RFC 9110 7.6.1, 7.8): they stay where they stood and are spelled as they were, but Connection
 * lists nothing else any more. All others are end-to-end, the Sec-WebSocket fields too.
 */
export function upgradeFields(head: Head): string {
  const { fields } = head;
  const hops = new Set(head.hops.filter((_, index) => index % 2 === 0));
  let passed = "";
  let listed = false;
  for (let start = 0; start < fields.length;) {
    const end = lineEnd(fields, start);
    const spelled = fields.slice(start, fields.indexOf(":", start));
    const name = spelled.toLowerCase();
    if (name === "connection" && !listed) {
      passed += `${spelled}: Upgrade\r\n`;
      listed = true;
    } else if (name === "upgrade" || !hops.has(start)) {
      passed += fields.slice(start, end);
    }
    start = end;
  }
  return passed;
}

/**
 * The fields of a request for a WebSocket as the server gets them: those that hooks have left, and of the extensions only what the
 * proxy understands.
 *
 * @param head as it came
 * @returns `undefined`: it does not ask for a WebSocket any more
 */
export function handshakeRequest(request: FlowRequest, head: Head): string | undefined {
  const { headers, method } = request;
  const upgrade = listed(headers.get("connection") ?? "", "upgrade") ? headers.get("upgrade") : null;
  if (request.bodyEdited || !asksForWebSocket(method, upgrade ?? undefined)) return undefined;
  const fields = handshakeFields(request, head);
  const offers = headers.getAll(EXTENSIONS);
  const offer = supportedOffer(offers);
  if (offer === undefined) return stripFields(fields, new Set([EXTENSIONS]));
  return offers.length === 1 && offers[0] === offer ? fields : setField(fields, "Sec-WebSocket-Extensions", offer);
}

/** The fields of a 101 as the client gets them: those that hooks have left. */
export function handshakeResponse(response: Message, head: Head): string {
  return handshakeFields(response, head);
}

const EXTENSIONS = "sec-websocket-extensions";
/** There is no body on either side (RFC 9110 8.6). */
const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);

function handshakeFields({ headers }: Message, head: Head): string {
  return stripFields(headers.edited ? rewritten(headers) : upgradeFields(head), FRAMING);
}

/** The same as {@linkcode upgradeFields} for fields that were edited. */
function rewritten(headers: FlowHeaders): string {
  const named = namedByConnection(headers);
  let passed = "";
  let connected = false;
  for (const [name, value] of headers.raw) {
    const key = name.toLowerCase();
    if (key === "connection" && !connected) {
      passed += `${name}: Upgrade\r\n`;
      connected = true;
    } else if (key === "upgrade" || !HOPS.has(key) && !named.includes(key)) {
      passed += `${name}: ${value}\r\n`;
    }
  }
  return passed;
}

function listed(value: string, wanted: string): boolean {
  return value.split(",").some((option) => option.trim().toLowerCase() === wanted);
}
