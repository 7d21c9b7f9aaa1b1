/**
 * Reads from a certificate what its issuer must know of itself.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Asn1, CONTEXT, TAG } from "./asn1.ts";
import type { Der } from "./der.ts";
import type { KeyAlgorithm } from "./signer.ts";

/** The fields of a certificate that matter when it issues others. */
export interface ReadCertificate {
  /** Its subject, DER: byte for byte what its leaves must name as their issuer. */
  readonly subject: Buffer;
  /** Its public key: a DER SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  /** Of which kind that key is. */
  readonly key: KeyAlgorithm;
  /** First and last moment, in milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Whether it says that it is a certificate authority and may sign certificates. */
  readonly maySign: boolean;
  /** Its subjectKeyIdentifier, when it has one. */
  readonly keyId: Uint8Array | undefined;
}

/**
 * Reads a certificate.
 *
 * @param bytes the DER of it
 * @throws when the bytes are not a certificate
 */
export function readCertificate(der: Der, bytes: Uint8Array): ReadCertificate {
  const fields = children(children(der.decode(bytes))[0]);
  // The version stands first and may be absent; what follows has a fixed order (RFC 5280 section 4.1).
  const start = fields[0]?.tagClass === CONTEXT ? 1 : 0;
  const [, , , validity, subject, spki] = fields.slice(start);
  if (subject === undefined || spki === undefined) throw new Error("the certificate has too few fields");
  const [notBefore, notAfter] = children(validity);
  const [algorithm, parameters] = children(children(spki)[0]);
  const extensions = readExtensions(der, fields);
  const keyId = extensions.get("2.5.29.14");
  return {
    subject: der.encode(subject),
    spki: der.encode(spki),
    key: {
      algorithm: oid(der, algorithm),
      curve: parameters?.type === TAG.oid ? oid(der, parameters) : undefined,
    },
    notBefore: time(der, notBefore),
    notAfter: time(der, notAfter),
    maySign: maySign(extensions.get("2.5.29.19"), extensions.get("2.5.29.15")),
    keyId: keyId === undefined ? undefined : Buffer.from(text(keyId), "latin1"),
  };
}

function maySign(basicConstraints: Asn1 | undefined, keyUsage: Asn1 | undefined): boolean {
  if (basicConstraints === undefined) return false;
  const [authority] = children(basicConstraints);
  if (authority?.type !== TAG.boolean || text(authority) === "\0") return false;
  // A certificate without keyUsage may be used for anything; keyCertSign is bit 5 (RFC 5280 section 4.2.1.3).
  return keyUsage === undefined || (text(keyUsage).charCodeAt(1) & 0x04) !== 0;
}

function readExtensions(der: Der, fields: readonly Asn1[]): Map<string, Asn1> {
  const wrapper = fields.find((field) => field.tagClass === CONTEXT && field.type === 3);
  const found = new Map<string, Asn1>();
  if (wrapper === undefined) return found;
  for (const extension of children(children(wrapper)[0])) {
    const parts = children(extension);
    const name = oid(der, parts[0]);
    // The others may hold anything, and nothing here depends on them.
    if (!/^2\.5\.29\.(14|15|19)$/.test(name)) continue;
    found.set(name, der.decode(Buffer.from(text(parts.at(-1)), "latin1")));
  }
  return found;
}

function time(der: Der, node: Asn1 | undefined): number {
  const value = text(node);
  const date = node?.type === TAG.utcTime ? der.codec.utcTimeToDate(value) : der.codec.generalizedTimeToDate(value);
  return date.getTime();
}

function oid(der: Der, node: Asn1 | undefined): string {
  return der.codec.derToOid(text(node));
}

function children(node: Asn1 | undefined): Asn1[] {
  if (node === undefined || typeof node.value === "string") throw new Error("the certificate is malformed");
  return node.value;
}

function text(node: Asn1 | undefined): string {
  if (node === undefined || typeof node.value !== "string") throw new Error("the certificate is malformed");
  return node.value;
}
