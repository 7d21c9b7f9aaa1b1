/**
 * What a webhook is told of a flow: without credentials.
 *
 * @module
 */
import type { HttpFlow } from "../flow/http_flow.ts";
import { isJson, isText } from "../flow/media_type.ts";
import type { Message } from "../flow/message.ts";
import { isSensitiveName, REDACTED, redactJson, redactText, redactTokens, redactUrl } from "../flow/sensitive.ts";

/** A message as a webhook is told of it. */
export interface WebhookMessage {
  /** Every field in order; the values of sensitive ones are redacted. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** How long the body was, as sent. */
  readonly bodySize: number;
  /** The body when it is text: JSON and forms without credentials. Missing where it is longer than is told, or no text. */
  readonly body?: string;
}

/** What a webhook is sent. */
export interface WebhookReport {
  /** `"response"`, or `"error"` for a flow that failed. */
  readonly event: "response" | "error";
  /** `flow.id` */
  readonly id: string;
  /** When the request began, ISO 8601. */
  readonly time: string;
  /** How long it took, in milliseconds. */
  readonly duration: number;
  /** Who answered: `flow.source`. */
  readonly source: string;
  /** The request as it was sent on. */
  readonly request: WebhookMessage & { readonly method: string; readonly url: string };
  /** The response as it was sent to the client; what had arrived of it when the flow failed. */
  readonly response?: WebhookMessage & { readonly status: number; readonly reason: string };
  /** Why the flow failed. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** @param maxBody how many bytes of a body are told */
export function webhookReport(flow: HttpFlow, maxBody: number): WebhookReport {
  const { id, source, request, response, error, timings, origin } = flow;
  const { method, url } = request;
  return {
    event: error === undefined ? "response" : "error",
    id,
    time: new Date(timings.start).toISOString(),
    duration: Math.round(timings.end ?? performance.now() - origin),
    source,
    request: { method, url: redactUrl(url), ...messageOf(request, maxBody) },
    ...(response && {
      response: { status: response.status, reason: response.reason, ...messageOf(response, maxBody) },
    }),
    ...(error && { error: { code: error.code, message: redactText(error.message) } }),
  };
}

function messageOf(message: Message, maxBody: number): WebhookMessage {
  const { headers, content } = message;
  const body = bodyOf(message, maxBody);
  return {
    headers: headers.raw.map(([name, value]) => [name, isSensitiveName(name) ? REDACTED : redactText(value)] as const),
    bodySize: content.size,
    ...(body === undefined ? {} : { body }),
  };
}

function bodyOf(message: Message, maxBody: number): string | undefined {
  const { content, headers } = message;
  const type = headers.get("content-type");
  if (content.size === 0 || content.size > maxBody || !content.complete || message.bodyTruncated) return undefined;
  if (type !== null && !isText(type)) return undefined;
  try {
    // It may be much longer without its compression.
    if (message.body.length > maxBody) return undefined;
    const text = message.text();
    return isJson(type) ? redactTokens(JSON.stringify(redactJson(JSON.parse(text)))) : redactText(text);
  } catch {
    return undefined;
  }
}
