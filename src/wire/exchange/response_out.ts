/**
 * The head of a response as it goes to the client.
 *
 * @module
 */
import type { FlowResponse } from "../../flow/response.ts";
import type { Framing, ResponseHead } from "../http1/head.ts";
import { checkStatusLine } from "../http1/serializer.ts";
import { type BodyKind, framed } from "./fields.ts";

/** A response without its body, free of what concerns one connection. */
export interface ResponseOut {
  readonly status: number;
  readonly reason: string;
  /** Field lines with those that frame the body. */
  readonly fields: string;
  readonly framing: Framing;
  /** So many milliseconds the head is to take, where it can leave bit by bit (HTTP/1.1). */
  readonly slowHead?: number;
}

/**
 * Status, fields and framing of a response.
 *
 * @param head as it came from the server; none for a response made by an addon
 * @param method of the request: a response to HEAD has no body
 */
export function responseOut(response: FlowResponse, head: ResponseHead | undefined, method: string): ResponseOut {
  const { status, reason } = response;
  if (status !== head?.status || reason !== head.reason) checkStatusLine(status, reason);
  const { fields, framing } = framed(response, head, bodyKind(status, method));
  return { status, reason, fields, framing };
}

/** Which body a response can have (RFC 9110 sections 9.3.2, 15.3.5 and 15.4.5). */
export function bodyKind(status: number, method: string): BodyKind {
  return method === "HEAD" || status === 304 ? "described" : status === 204 ? "none" : "any";
}
