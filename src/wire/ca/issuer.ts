/**
 * A certificate and its private key, checked and ready to issue others.
 *
 * @module
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { FlowtapeError } from "../../flow/error.ts";
import { authorityExtensions, distinguishedName, issueCertificate, keyIdentifier } from "./certificate.ts";
import { type Clock, DAY } from "./clock.ts";
import type { Der } from "./der.ts";
import { pemBlocks, pemBytes } from "./pem.ts";
import { type ReadCertificate, readCertificate } from "./read_certificate.ts";
import { digestFor, P256, type Signer, signerFor } from "./signer.ts";

/** A certificate authority's certificate and private key, as PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** What issuing a certificate takes. */
export interface Issuer {
  /** The certificate, and whatever chain was given with it, as PEM. */
  readonly cert: string;
  /** Its Name, DER. */
  readonly subject: Uint8Array;
  readonly keyId: Uint8Array;
  readonly signer: Signer;
  /** First and last moment, in milliseconds since 1970: no leaf may go beyond them. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Makes a new certificate authority that is valid for `days` from now, and since yesterday: clocks differ. */
export function createKeyPair(der: Der, options: { clock: Clock; days: number }): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const signer = signerFor(der, { algorithm: "1.2.840.10045.2.1", curve: P256 }, privateKey) as Signer;
  // Two authorities of the same name confuse trust stores, which look certificates up by it.
  const commonName = `flowtape CA ${randomBytes(3).toString("hex")}`;
  const name = distinguishedName(der, { organization: "flowtape", commonName });
  const now = options.clock();
  const cert = issueCertificate(der, {
    issuer: name,
    subject: name,
    spki,
    notBefore: now - DAY,
    notAfter: now + options.days * DAY,
    extensions: authorityExtensions(der, keyIdentifier(der, spki)),
  }, signer);
  return { cert, key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}

/**
 * Reads and checks a certificate authority.
 *
 * @param source where the PEM comes from, for the messages: `{ cert: "https.ca.cert", key: "https.ca.key" }` or two files
 * @throws {FlowtapeError} `CA_UNREADABLE`, `CA_UNSUPPORTED_KEY`, `CA_KEY_MISMATCH`, `CA_NOT_AN_AUTHORITY`, `CA_EXPIRED`
 */
export function readIssuer(der: Der, pair: KeyPair, source: KeyPair, clock: Clock): Issuer {
  const { chain, certificate } = readChain(der, pair.cert, source.cert);
  const key = readKey(pair.key, source.key);
  const signer = signerFor(der, certificate.key, key);
  if (signer === undefined) {
    throw new FlowtapeError(
      "CA_UNSUPPORTED_KEY",
      `The certificate authority in ${source.cert} has a key of a kind that flowtape cannot sign with (object ` +
        `identifier ${certificate.key.algorithm}). Use an RSA, ECDSA (P-256, P-384, P-521) or Ed25519 key.`,
    );
  }
  if (!belongTogether(certificate, key)) {
    throw new FlowtapeError(
      "CA_KEY_MISMATCH",
      `The private key in ${source.key} does not belong to the certificate in ${source.cert}. Give the pair that was ` +
        `made together; when the file of the certificate holds a chain, the authority's own certificate comes first.`,
    );
  }
  checkUse(certificate, source.cert, clock());
  const keyId = certificate.keyId ?? keyIdentifier(der, certificate.spki);
  const { subject, notBefore, notAfter } = certificate;
  return { cert: chain, subject, keyId, signer, notBefore, notAfter };
}

function checkUse(certificate: ReadCertificate, source: string, now: number): void {
  if (!certificate.maySign) {
    throw new FlowtapeError(
      "CA_NOT_AN_AUTHORITY",
      `The certificate in ${source} is not one of a certificate authority: it lacks basicConstraints CA:TRUE, or its ` +
        `keyUsage leaves out keyCertSign, so no client would accept what it signs. Give a CA certificate, or none: ` +
        `flowtape then makes its own.`,
    );
  }
  if (now < certificate.notBefore || now > certificate.notAfter) {
    const day = (time: number): string => new Date(time).toISOString().slice(0, 10);
    throw new FlowtapeError(
      "CA_EXPIRED",
      `The certificate authority in ${source} is valid from ${day(certificate.notBefore)} to ` +
        `${day(certificate.notAfter)}, and today is ${
          day(now)
        }. Renew it (files that flowtape made: delete ca.pem and ` +
        `ca.key.pem, and new ones are made), or correct the clock.`,
    );
  }
}

function readChain(der: Der, pem: string, source: string): { chain: string; certificate: ReadCertificate } {
  const blocks = pemBlocks(pem).filter((block) => block.label === "CERTIFICATE");
  try {
    const [first] = blocks;
    if (first === undefined) throw new Error("it has no BEGIN CERTIFICATE block");
    return {
      chain: blocks.map((block) => `${block.text}\n`).join(""),
      certificate: readCertificate(der, pemBytes(first)),
    };
  } catch (cause) {
    throw unreadable("certificate", source, cause);
  }
}

function readKey(pem: string, source: string): KeyObject {
  // The BEGIN EC PARAMETERS block that openssl writes in front is not for every runtime.
  const block = pemBlocks(pem).find(({ label }) => label.endsWith("PRIVATE KEY"));
  try {
    if (block === undefined) throw new Error("it has no BEGIN PRIVATE KEY block");
    if (/ENCRYPTED/.test(block.text)) throw new Error("it is encrypted; decrypt it first with `openssl pkey`");
    return createPrivateKey(block.text);
  } catch (cause) {
    throw unreadable("private key", source, cause);
  }
}

function unreadable(what: string, source: string, cause: unknown): FlowtapeError {
  return new FlowtapeError(
    "CA_UNREADABLE",
    `The ${what} in ${source} cannot be read: ${
      cause instanceof Error ? cause.message : String(cause)
    }. It must be PEM ` +
      `text (not a path, not DER). flowtape leaves files as they are: restore or delete a damaged one.`,
    { cause },
  );
}

function belongTogether(certificate: ReadCertificate, key: KeyObject): boolean {
  const digest = digestFor(certificate.key);
  const probe = randomBytes(32);
  try {
    const publicKey = createPublicKey({ key: certificate.spki, format: "der", type: "spki" });
    return verify(digest, probe, publicKey, sign(digest, probe, key));
  } catch {
    return false; // a key of another kind altogether
  }
}
