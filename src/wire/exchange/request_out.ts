/**
 * The head of a request as it goes to the server.
 *
 * @module
 */
import { formatAuthority } from "../../flow/authority.ts";
import type { FlowRequest } from "../../flow/request.ts";
import { type Framing, NO_BODY } from "../http1/head.ts";
import { checkRequestLine, requestLine, setField, stripFields } from "../http1/serializer.ts";
import { type Framed, framed } from "./fields.ts";
import type { OutgoingRequest } from "./upstream_stream.ts";

const EXPECT: ReadonlySet<string> = new Set(["expect"]);

/** Start line and fields of a request, and how its body ends; with `close`, the connection is to end behind the response. */
export function requestOut(
  outgoing: OutgoingRequest,
  { close = false }: { readonly close?: boolean } = {},
): { readonly text: string; readonly framing: Framing } {
  const { flow: { request }, head, handshake } = outgoing;
  const { fields, framing } = requestFields(outgoing);
  const lines = head.version === "2" ? joinCookies(fields) : fields;
  // A handshake asks for another connection option, and has a connection of its own.
  const option = close && handshake === undefined ? "Connection: close\r\n" : "";
  return { text: `${requestLine(request.method, request.target)}${lines}${option}\r\n`, framing };
}

/** The fields of a request, Host among them, and how its body ends. */
export function requestFields({ flow: { request }, head, continued, handshake }: OutgoingRequest): Framed {
  if (request.method !== head.method) checkRequestLine(request.method, request.target);
  const bodiless = head.framing.kind === "none" && !request.bodyEdited;
  const out = handshake === undefined
    ? framed(request, head, bodiless ? "none" : "any")
    : { fields: handshake, framing: NO_BODY };
  let { fields } = out;
  const host = request.headers.edited ? request.headers.get("host") ?? undefined : head.host;
  if (host === undefined) {
    // A server of HTTP/1.1 refuses a request without it (RFC 9112 section 3.2).
    fields = `Host: ${authorityOf(request)}\r\n${fields}`;
  } else if (host === head.host && contradicts(head.target, host)) {
    fields = setField(fields, "Host", authorityOf(request));
  }
  if (continued && head.expectContinue) fields = stripFields(fields, EXPECT);
  return fields === out.fields ? out : { fields, framing: out.framing };
}

/** The fields with one Cookie line, as HTTP/1.1 wants it (RFC 9113 section 8.2.3). */
function joinCookies(fields: string): string {
  const cookies = [...fields.matchAll(/^cookie:(.*)\r\n/gim)].map(([, value = ""]) => value.trim());
  return cookies.length < 2 ? fields : setField(fields, "cookie", cookies.join("; "));
}

const AUTHORITY = /^(?:https?|wss?):\/\/([^/?#]*)/i;

/** Whether a target in absolute form names another server than Host: the target rules (RFC 9112 section 3.2.2). */
function contradicts(target: string, host: string): boolean {
  const authority = AUTHORITY.exec(target)?.[1];
  return authority !== undefined && authority.toLowerCase() !== host.toLowerCase();
}

function authorityOf(request: FlowRequest): string {
  return formatAuthority(request.scheme, request.hostname, request.port);
}
