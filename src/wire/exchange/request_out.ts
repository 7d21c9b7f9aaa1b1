/**
 * The head of a request as it goes to the server.
 *
 * @module
 */
import { formatAuthority } from "../../flow/authority.ts";
import type { FlowRequest } from "../../flow/request.ts";
import type { Framing, RequestHead } from "../http1/head.ts";
import { requestLine, setField, stripFields } from "../http1/serializer.ts";
import { framed } from "./fields.ts";

const EXPECT: ReadonlySet<string> = new Set(["expect"]);

/**
 * Start line and fields of a request, and how its body ends.
 *
 * @param continued the proxy itself has told the client to go on: the server need not be asked again
 */
export function requestOut(
  request: FlowRequest,
  head: RequestHead,
  continued: boolean,
): { readonly text: string; readonly framing: Framing } {
  const bodiless = head.framing.kind === "none" && !request.bodyEdited;
  const out = framed(request, head, bodiless ? "none" : "any");
  let { fields } = out;
  const host = request.headers.edited ? request.headers.get("host") ?? undefined : head.host;
  if (host === undefined) {
    // A server of HTTP/1.1 refuses a request without it (RFC 9112 section 3.2).
    fields = `Host: ${formatAuthority(request.scheme, request.hostname, request.port)}\r\n${fields}`;
  } else if (!request.headers.edited && head.target.charCodeAt(0) !== SLASH && host !== authorityOf(request)) {
    // The request target rules over Host (RFC 9112 section 3.2.2).
    if (head.target !== "*") fields = setField(fields, "Host", authorityOf(request));
  }
  if (continued && head.expectContinue) fields = stripFields(fields, EXPECT);
  return { text: `${requestLine(request.method, request.target)}${fields}\r\n`, framing: out.framing };
}

const SLASH = 0x2f;

function authorityOf(request: FlowRequest): string {
  return formatAuthority(request.scheme, request.hostname, request.port);
}
