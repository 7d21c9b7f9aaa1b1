/**
 * The heads of an application's answers, as a parser would read them.
 *
 * @module
 */
import { FlowHeaders } from "../../flow/headers.ts";
import { type FlowResponse, reasonOf } from "../../flow/response.ts";
import { bodyKind } from "../exchange/response_out.ts";
import { CHUNKED, type Framing, NO_BODY, ofLength, type ResponseHead } from "../http1/head.ts";
import { checkStatusLine, stripFields } from "../http1/serializer.ts";

/** What the wire says itself. */
const OURS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);
const LENGTH: ReadonlySet<string> = new Set(["content-length"]);

/**
 * The head of a response.
 *
 * @param method of the request
 * @throws {OptionsError} a status or reason that cannot be sent
 */
export function headOf(response: FlowResponse, method: string): ResponseHead {
  const { status, reason, content, trailers } = response;
  if (status < 200) throw new Error(`it answered ${status}: only info.upgrade() can switch to another protocol`);
  checkStatusLine(status, reason);
  const fields = stripFields(response.headers.fields, OURS);
  const said = response.headers.get("content-length");
  if (bodyKind(status, method) !== "any") {
    // The length of a body that is not there may be told (RFC 9110 section 8.6).
    const known = said === null && method === "HEAD" && status !== 204 && content.complete && content.kept > 0;
    return make(response, known ? `${fields}Content-Length: ${content.kept}\r\n` : fields, NO_BODY);
  }
  const length = content.complete ? content.kept : said !== null && /^\d{1,15}$/.test(said) ? Number(said) : undefined;
  const framing = length === undefined || trailers !== undefined ? CHUNKED : ofLength(length);
  return make(response, stripFields(fields, LENGTH), framing);
}

/** The head of a 101 that comes over a connection of the application's own. */
export function switchHead(response: FlowResponse): ResponseHead {
  return make(response, response.headers.fields, NO_BODY);
}

/** The application wants the body of a request (RFC 9110 section 15.2.1). */
export function continueHead(): ResponseHead {
  const reason = reasonOf(100) || "Continue";
  return make({ status: 100, reason }, "", NO_BODY);
}

function make(
  { status, reason }: Pick<FlowResponse, "status" | "reason">,
  fields: string,
  framing: Framing,
): ResponseHead {
  return {
    kind: "response",
    version: "1.1",
    status,
    reason,
    // An own list: edited or not, it begins as it was sent.
    fields: FlowHeaders.fromFields(fields).fields,
    framing,
    keepAlive: true,
    hops: [],
    lengthAt: -1,
    codingAt: -1,
    upgrade: undefined,
  };
}
