/**
 * What went wrong in a handshake, in words that help.
 *
 * @module
 */
import { FlowtapeError } from "../../flow/error.ts";

const TRUST = "Make the client trust the certificate authority of the proxy: its certificate is in the file " +
  "proxy.ca.path, and proxy.env() has the variables that point most clients at it.";

/**
 * How the runtimes spell the alerts by which a client refuses a certificate: OpenSSL and BoringSSL (Node, Bun) in the
 * code, rustls (Deno) in the message.
 */
const REFUSALS = new RegExp(
  [
    "UNKNOWN_?CA",
    "BAD_?CERTIFICATE",
    "CERTIFICATE_?UNKNOWN",
    "CERTIFICATE_?EXPIRED",
    "CERTIFICATE_?REVOKED",
    "UNSUPPORTED_?CERTIFICATE",
    "ALERT_?ACCESS_?DENIED|AccessDenied",
    // An OpenSSL client refuses a TLS 1.3 certificate with an alert in the clear, before it has set its keys up.
    // BoringSSL expects an encrypted record there and finds this one too short to be one.
    "BAD_PACKET_LENGTH",
  ].join("|"),
  "i",
);

/** Explains an error that a TLS server gave for a connection. */
export function handshakeError(name: string, cause: Error): FlowtapeError {
  const { code = "", reason = "" } = cause as { code?: string; reason?: string };
  if (/^(ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)$/.test(code)) return clientClosed(name, cause);
  const said = `${code} ${reason} ${cause.message}`.replaceAll(" ", "_");
  const detail = reason || code || cause.message;
  if (REFUSALS.test(said)) {
    return new FlowtapeError(
      "TLS_CLIENT_REJECTED",
      `The client refused the certificate that the proxy presented for ${name} (${detail}). ${TRUST}`,
      { cause },
    );
  }
  return new FlowtapeError(
    "TLS_HANDSHAKE",
    `The TLS handshake with the client for ${name} failed (${detail}). The client and the proxy have no protocol ` +
      `version, cipher or application protocol in common, or what the client sent is not TLS: to relay such a ` +
      `connection untouched, let https.passthrough match it.`,
    { cause },
  );
}

/** The client hung up. */
export function clientClosed(name: string, cause?: Error): FlowtapeError {
  return new FlowtapeError(
    "TLS_CLIENT_CLOSED",
    `The client closed the connection during the TLS handshake for ${name}. Some clients do so when they do not ` +
      `accept a certificate. ${TRUST}`,
    cause === undefined ? undefined : { cause },
  );
}

/** The client hung up as soon as it had seen the certificate. */
export function leftAfterHandshake(name: string): FlowtapeError {
  return new FlowtapeError(
    "TLS_CLIENT_CLOSED",
    `The client closed the connection right after the TLS handshake for ${name}, without a request. Some clients do so ` +
      `when they do not accept a certificate. ${TRUST}`,
  );
}

/** The client took too long. */
export function handshakeTimeout(name: string, milliseconds: number): FlowtapeError {
  return new FlowtapeError(
    "TLS_HANDSHAKE_TIMEOUT",
    `The client did not finish the TLS handshake for ${name} within ${milliseconds} ms. Check that it speaks TLS and ` +
      `does not wait for something else.`,
  );
}
