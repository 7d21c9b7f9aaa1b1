/**
 * Compares a name and a password without telling how much of them was right.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";

/** A name and a password. */
export interface SocksCredentials {
  /** The name. */
  readonly username: string;
  /** The password. */
  readonly password: string;
  /** Any name will do, with any password: the text says what it is asked for. */
  readonly anyone?: string;
}

/**
 * Whether the bytes that a client sent are these credentials. The time that it takes depends on neither: digests have the
 * same length, and both parts are always compared.
 */
export function sameCredentials(expected: SocksCredentials, username: Uint8Array, password: Uint8Array): boolean {
  if (expected.anyone !== undefined) return username.length > 0;
  const name = timingSafeEqual(digest(Buffer.from(expected.username)), digest(username));
  const word = timingSafeEqual(digest(Buffer.from(expected.password)), digest(password));
  return name && word;
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}
