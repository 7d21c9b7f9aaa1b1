/**
 * Secrets made anew from a seed, so that none stands in these files, and messages that carry them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { SecretLeftError } from "../../../src/tape/redact/gate.ts";
import { Ledger } from "../../../src/tape/redact/placeholders.ts";
import { createWritingRedactor } from "../../../src/tape/redact/redactor.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const DIGITS = "0123456789";

export const alphabets: Record<Alphabet, string> = {
  hex: `${DIGITS}abcdef`,
  base32: `${UPPER}234567`,
  base36: LOWER + DIGITS,
  upper36: UPPER + DIGITS,
  base62: UPPER + LOWER + DIGITS,
  base64: `${UPPER}${LOWER}${DIGITS}+/`,
  url64: `${UPPER}${LOWER}${DIGITS}-_`,
  digits: DIGITS,
};

type Alphabet = "hex" | "base32" | "base36" | "upper36" | "base62" | "base64" | "url64" | "digits";

/** The same every time: xorshift. */
export function generator(seed: number): (alphabet: Alphabet, length: number) => string {
  let state = seed | 1;
  return (alphabet, length) => {
    const characters = alphabets[alphabet];
    let text = "";
    for (let i = 0; i < length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      text += characters[(state >>> 0) % characters.length];
    }
    return text;
  };
}

/** What would be written of a body; `undefined` when it is refused. */
export function written(text: string | Uint8Array, type: string): string | undefined {
  return attempt((redactor) => Buffer.from(redactor.body(Buffer.from(text), type)).toString());
}

export function writtenUrl(url: string): string | undefined {
  return attempt((redactor) => redactor.url(url));
}

export function writtenHeader(name: string, value: string): string | undefined {
  return attempt((redactor) => redactor.header(name, value));
}

function attempt(write: (redactor: ReturnType<typeof createWritingRedactor>) => string): string | undefined {
  try {
    return write(createWritingRedactor({}, new Ledger()));
  } catch (error) {
    if (error instanceof SecretLeftError) return undefined;
    throw error;
  }
}
