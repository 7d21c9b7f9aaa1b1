/**
 * Builds and signs X.509 certificates (RFC 5280).
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import type { Asn1 } from "./asn1.ts";
import type { Der } from "./der.ts";
import type { CertificateName } from "./names.ts";
import { toPem } from "./pem.ts";
import type { Signer } from "./signer.ts";

/** What a certificate says. Its parts are DER: most of them are the same in all certificates of an authority, and encoded once. */
export interface CertificateContent {
  /** The issuer's Name. */
  readonly issuer: Uint8Array;
  /** The subject's Name. */
  readonly subject: Uint8Array;
  /** The subject's public key: a SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** First and last moment, in milliseconds since 1970; certificates know seconds only. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** From the functions below. */
  readonly extensions: readonly Uint8Array[];
}

/** Builds a certificate with a fresh random serial number, signs it, and returns its PEM. */
export function issueCertificate(der: Der, content: CertificateContent, signer: Signer): string {
  const tbs = der.join(
    X509_V3,
    der.encode(der.integer(serialNumber())),
    signer.algorithm,
    content.issuer,
    der.encode(der.sequence(der.time(content.notBefore), der.time(content.notAfter))),
    content.subject,
    content.spki,
    der.tagged(3, der.join(...content.extensions)),
  );
  const signature = der.encode(der.bits(signer.sign(tbs)));
  return toPem("CERTIFICATE", der.join(tbs, signer.algorithm, signature));
}

/** `[0] EXPLICIT INTEGER 2`. */
const X509_V3: Uint8Array = Uint8Array.of(0xa0, 3, 2, 1, 2);

/** A Name of the given attributes; none make the empty Name. */
export function distinguishedName(der: Der, attributes: { commonName?: string; organization?: string }): Uint8Array {
  const relative = (oid: string, text: string | undefined): Asn1[] =>
    text === undefined ? [] : [der.set(der.sequence(der.oid(oid), der.utf8(text)))];
  return der.encode(
    der.sequence(...relative("2.5.4.10", attributes.organization), ...relative("2.5.4.3", attributes.commonName)),
  );
}

/** The extensions of a certificate authority: it may sign certificates and revocation lists. */
export function authorityExtensions(der: Der, keyId: Uint8Array): Uint8Array[] {
  return [
    extension(der, "2.5.29.19", "critical", der.sequence(der.true())),
    extension(der, "2.5.29.15", "critical", der.bits(Uint8Array.of(0x06), 1)), // keyCertSign, cRLSign
    extension(der, "2.5.29.14", "optional", der.octets(keyId)),
  ];
}

/** The extensions of every server certificate, in front of its name. */
export function serverExtensions(
  der: Der,
  { keyId, issuerKeyId }: { keyId: Uint8Array; issuerKeyId: Uint8Array },
): Uint8Array[] {
  return [
    extension(der, "2.5.29.19", "critical", der.sequence()),
    extension(der, "2.5.29.15", "critical", der.bits(Uint8Array.of(0x80), 7)), // digitalSignature
    extension(der, "2.5.29.37", "optional", der.sequence(der.oid("1.3.6.1.5.5.7.3.1"))), // serverAuth
    extension(der, "2.5.29.14", "optional", der.octets(keyId)),
    extension(der, "2.5.29.35", "optional", der.sequence(der.implicit(0, issuerKeyId))),
  ];
}

/** The name that a server certificate is for. */
export function nameExtension(der: Der, name: CertificateName, subject: "named" | "empty"): Uint8Array {
  const san = name.kind === "ip" ? der.implicit(7, name.bytes) : der.implicit(2, new TextEncoder().encode(name.text));
  // It is all there is to know who the subject is when its Name is empty (RFC 5280 section 4.2.1.6).
  return extension(der, "2.5.29.17", subject === "empty" ? "critical" : "optional", der.sequence(san));
}

/** The identifier of a public key: 160 bits of the SHA-256 of its bits (RFC 7093 section 2, method 1). */
export function keyIdentifier(der: Der, spki: Uint8Array): Uint8Array {
  const bits = (der.decode(spki).value as Asn1[])[1]?.value as string;
  return createHash("sha256").update(bits.slice(1), "latin1").digest().subarray(0, 20);
}

function extension(der: Der, oid: string, weight: "critical" | "optional", value: Asn1): Uint8Array {
  const octets = der.octets(der.encode(value));
  const critical = weight === "critical" ? [der.true()] : [];
  return der.encode(der.sequence(der.oid(oid), ...critical, octets));
}

function serialNumber(): Uint8Array {
  const bytes = randomBytes(16);
  // Neither negative nor shorter than it looks, so that the DER is minimal (RFC 5280 section 4.1.2.2).
  bytes[0] = (bytes[0] ?? 0) & 0x3f | 0x40;
  return bytes;
}
