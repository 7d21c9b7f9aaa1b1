/**
 * The bytes of HTTP: character classes as lookup tables, and the few comparisons that the scanners make.
 *
 * @module
 */
import type { Buffer } from "node:buffer";

/** Horizontal tab. */
export const HT = 0x09;
/** Line feed. */
export const LF = 0x0a;
/** Carriage return. */
export const CR = 0x0d;
/** Space. */
export const SP = 0x20;
/** `:` */
export const COLON = 0x3a;
/** `;` */
export const SEMICOLON = 0x3b;

/** 1 for the characters of a token: `tchar` of RFC 9110 5.6.2. */
export const TOKEN: Uint8Array = table((byte) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)));

/** 1 for the characters of a field value or reason phrase: tab, space, visible ASCII and obs-text (RFC 9110 5.5). */
export const TEXT: Uint8Array = table((byte) => byte === HT || (byte >= SP && byte !== 0x7f));

/**
 * 1 for what may be in a request target: visible ASCII but `#`, and bytes over 0x7f. RFC 3986 has fewer, but browsers send
 * `|` and curl sends UTF-8 as it is; neither can be read as anything else. A fragment can (RFC 9112 3.2 has none), so `#` may not.
 */
export const TARGET: Uint8Array = table((byte) => byte > SP && byte !== 0x7f && byte !== 0x23);

/** The value of a hexadecimal digit, or -1. */
export const HEX: Int8Array = Int8Array.from(
  { length: 256 },
  (_, byte) => "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase()),
);

/** Whether the bytes at `at` are `lower`, in any case. `lower` has only lower-case letters, digits and hyphens. */
export function sameName(bytes: Uint8Array, at: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    // Setting bit 5 lowers a letter; nothing else that is a token character becomes a letter or a hyphen by it.
    if ((bytes[at + i]! | 0x20) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** Where the value starts after optional white space (RFC 9110 5.6.3). */
export function skipSpace(bytes: Uint8Array, from: number, to: number): number {
  while (from < to && (bytes[from] === SP || bytes[from] === HT)) from++;
  return from;
}

/** Where the value ends before optional white space. */
export function trimSpace(bytes: Uint8Array, from: number, to: number): number {
  while (to > from && (bytes[to - 1] === SP || bytes[to - 1] === HT)) to--;
  return to;
}

/** The bytes as a string of the same length. */
export function latin1(bytes: Buffer, from: number, to: number): string {
  return bytes.toString("latin1", from, to);
}

function table(holds: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte) ? 1 : 0));
}
