/**
 * Signing as an X.509 issuer: which algorithm a key signs with, and what a certificate calls it.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { type KeyObject, sign } from "node:crypto";
import type { Der } from "./der.ts";

/** Signs certificates with one key. */
export interface Signer {
  /** The AlgorithmIdentifier of the signatures, DER. */
  readonly algorithm: Uint8Array;
  /** Signs some bytes. */
  sign(bytes: Uint8Array): Buffer;
}

/** What a public key says about itself: the object identifiers of its algorithm and, for ECDSA, of its curve. */
export interface KeyAlgorithm {
  readonly algorithm: string;
  readonly curve: string | undefined;
}

const RSA = "1.2.840.113549.1.1.1";
const ELLIPTIC = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";
const RSA_WITH_SHA256 = "1.2.840.113549.1.1.11";

/** For each curve the digest of its own strength, and ECDSA with it (RFC 5758 section 3.2). */
const CURVES: Readonly<Record<string, readonly [digest: string, algorithm: string]>> = {
  "1.2.840.10045.3.1.7": ["sha256", "1.2.840.10045.4.3.2"],
  "1.3.132.0.34": ["sha384", "1.2.840.10045.4.3.3"],
  "1.3.132.0.35": ["sha512", "1.2.840.10045.4.3.4"],
};

/** The object identifier of the curve P-256. */
export const P256 = "1.2.840.10045.3.1.7";

/** The signer of a private key, or `undefined` when the kind of key is not supported. */
export function signerFor(der: Der, kind: KeyAlgorithm, key: KeyObject): Signer | undefined {
  const chosen = choose(kind);
  if (chosen === undefined) return undefined;
  const [digest, oid] = chosen;
  // Only RSA has parameters, and they are NULL (RFC 4055 section 5); ECDSA and Ed25519 must have none (RFC 5758, 8410).
  const algorithm = oid === RSA_WITH_SHA256 ? der.sequence(der.oid(oid), der.null()) : der.sequence(der.oid(oid));
  return { algorithm: der.encode(algorithm), sign: (bytes) => sign(digest, bytes, key) };
}

/** The digest that `node:crypto` takes for a kind of key; `null` where the algorithm brings its own. */
export function digestFor(kind: KeyAlgorithm): string | null {
  return choose(kind)?.[0] ?? null;
}

function choose({ algorithm, curve = "" }: KeyAlgorithm): readonly [digest: string | null, oid: string] | undefined {
  if (algorithm === ELLIPTIC) return CURVES[curve];
  if (algorithm === RSA) return ["sha256", RSA_WITH_SHA256];
  if (algorithm === ED25519) return [null, ED25519];
  return undefined;
}
