/**
 * A certificate as a PKCS#12 file (RFC 7292) for those who trust no PEM: Java, Windows.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { type Asn1, CONTEXT, loadAsn1 } from "./asn1.ts";
import { Der } from "./der.ts";
import { pemBlocks, pemBytes } from "./pem.ts";

const OID = {
  data: "1.2.840.113549.1.7.1",
  certBag: "1.2.840.113549.1.12.10.1.3",
  x509Certificate: "1.2.840.113549.1.9.22.1",
  friendlyName: "1.2.840.113549.1.9.20",
  // Oracle's own: without it Java reads the file and trusts nothing in it.
  trustedKeyUsage: "2.16.840.1.113894.746875.1.1",
  anyExtendedKeyUsage: "2.5.29.37.0",
  sha256: "2.16.840.1.101.3.4.2.1",
} as const;

const BMP_STRING = 30;
const ITERATIONS = 10_000;

/**
 * The first certificate of a PEM text as a trust store. It is signed with the password, and not encrypted: a certificate is no secret.
 *
 * @param name what the certificate is called in it
 */
export async function trustStore(pem: string, password: string, name?: string): Promise<Buffer> {
  return encodeTrustStore(new Der(await loadAsn1()), pem, password, name);
}

/** The same, where the codec has been loaded. */
export function encodeTrustStore(der: Der, pem: string, password: string, name = "flowtape"): Buffer {
  const [certificate] = pemBlocks(pem).filter(({ label }) => label === "CERTIFICATE").map(pemBytes);
  if (certificate === undefined) throw new Error("the PEM text holds no certificate");
  const bag = der.sequence(
    der.oid(OID.certBag),
    explicit(der, der.sequence(der.oid(OID.x509Certificate), explicit(der, der.octets(certificate)))),
    der.set(
      der.sequence(der.oid(OID.friendlyName), der.set(bmpString(der, name))),
      der.sequence(der.oid(OID.trustedKeyUsage), der.set(der.oid(OID.anyExtendedKeyUsage))),
    ),
  );
  const safe = der.encode(der.sequence(content(der, der.encode(der.sequence(bag)))));
  return der.encode(der.sequence(integer(der, 3), content(der, safe), mac(der, safe, password)));
}

/** ContentInfo of type data (RFC 2315 section 7). */
function content(der: Der, bytes: Buffer): Asn1 {
  return der.sequence(der.oid(OID.data), explicit(der, der.octets(bytes)));
}

/** MacData (RFC 7292 section 4). */
function mac(der: Der, safe: Buffer, password: string): Asn1 {
  const salt = randomBytes(16);
  const digest = createHmac("sha256", macKey(password, salt)).update(safe).digest();
  const digestInfo = der.sequence(der.sequence(der.oid(OID.sha256), der.null()), der.octets(digest));
  return der.sequence(digestInfo, der.octets(salt), integer(der, ITERATIONS));
}

/** Appendix B.2 of RFC 7292, for one block of output: SHA-256 gives as many bytes as the key has. */
function macKey(password: string, salt: Buffer): Buffer {
  const block = 64;
  const purpose = Buffer.alloc(block, 3);
  const filled = [salt, utf16(`${password}\0`)].map((bytes) => {
    return Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes);
  });
  let key = createHash("sha256").update(Buffer.concat([purpose, ...filled])).digest();
  for (let i = 1; i < ITERATIONS; i++) key = createHash("sha256").update(key).digest();
  return key;
}

function explicit(der: Der, member: Asn1): Asn1 {
  return der.codec.create(CONTEXT, 0, true, [member]);
}

/** node-forge itself makes UTF-16 of it. */
function bmpString(der: Der, text: string): Asn1 {
  return der.codec.create(0, BMP_STRING, false, text);
}

/** Big-endian. */
function utf16(text: string): Buffer {
  return Buffer.from(text, "utf16le").swap16();
}

function integer(der: Der, value: number): Asn1 {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + hex.length % 2, "0"), "hex");
  return der.integer(bytes[0]! & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}
