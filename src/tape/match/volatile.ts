/**
 * What clients make anew for every request, so that it says nothing of what they ask for.
 *
 * @module
 */

/** Query parameters: against caches (jQuery), of OAuth 1 (RFC 5849 section 3.1) and of signed URLs. */
export const VOLATILE_PARAMETERS: readonly string[] = [
  "_",
  "oauth_nonce",
  "oauth_timestamp",
  "X-Amz-Date",
  "X-Goog-Date",
];

const FIELDS: ReadonlySet<string> = new Set([
  // Of one connection (RFC 9110 section 7.6.1), or of how the body is sent, which is compared without its coding.
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "http2-settings",
  "expect",
  "content-length",
  "content-encoding",
  "accept-encoding",
  // Compared as the origin.
  "host",
  // Of the version of a client.
  "user-agent",
  // Of one request.
  "date",
  "traceparent",
  "tracestate",
  "baggage",
  "b3",
  "sentry-trace",
  "idempotency-key",
  "x-request-id",
  "x-correlation-id",
  "x-amzn-trace-id",
  "x-cloud-trace-context",
  "x-amz-date",
  "x-amz-user-agent",
  "amz-sdk-invocation-id",
  "amz-sdk-request",
  "sec-websocket-key",
]);

/** Whether a header field of this name (in lower case) never counts. */
export function isVolatileField(name: string): boolean {
  return FIELDS.has(name) || name.startsWith("x-b3-") || name.startsWith("x-datadog-");
}
