/**
 * A certificate that one end of a TLS connection has shown.
 *
 * @module
 */

/** What a certificate says. */
export interface CertificateInfo {
  /** Whom it is for, such as `CN=shop.test, O=Shop`. Empty when it only has names. */
  readonly subject: string;
  /** Who signed it, in the same form. */
  readonly issuer: string;
  /** The names and addresses that it is valid for (subjectAltName), such as `["shop.test", "192.0.2.1"]`. */
  readonly names: readonly string[];
  /** In hex, upper case. */
  readonly serialNumber: string;
  /** The first moment of its validity, ISO 8601. */
  readonly validFrom: string;
  /** The last moment of its validity, ISO 8601. */
  readonly validTo: string;
  /** The SHA-256 of the certificate, as `AB:CD:...`. */
  readonly fingerprint: string;
  /** The certificate itself. */
  readonly pem: string;
}
