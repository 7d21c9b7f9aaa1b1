/**
 * The one key that all leaf certificates of the process share: making a key is what makes certificates slow, and a
 * browser needs to trust just one.
 *
 * @module
 */
import { createHash, generateKeyPairSync } from "node:crypto";

/** The process's leaf key. */
export interface LeafKey {
  /** The private key, PEM. */
  readonly pem: string;
  /** The DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** The base64 SHA-256 of `spki`, as Chromium's `--ignore-certificate-errors-spki-list` takes it. */
  readonly hash: string;
}

let shared: LeafKey | undefined;

/** The process's leaf key, a P-256 one, made at the first call. */
export function leafKey(): LeafKey {
  return shared ??= makeKey();
}

function makeKey(): LeafKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  return {
    pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    spki,
    hash: createHash("sha256").update(spki).digest("base64"),
  };
}
