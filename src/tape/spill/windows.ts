/**
 * Cuts a body that is too large to be looked at as a whole into windows that can be redacted one by one: where nothing is cut in two
 * that belongs together. Where the cuts are depends on the body alone, so that the same body always gives the same bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A part of a body. */
export interface Window {
  /** What must stand before it so that it means the same; it is not part of the body. */
  readonly before: string;
  readonly bytes: Uint8Array;
}

/** Cuts a body. */
export interface Cutter {
  /** The first window of what is there; `undefined` when more must come first. */
  next(bytes: Buffer, isLast: boolean): Window | undefined;
}

/** A window has about this many bytes, and a cut is looked for in the last of them. */
export const WINDOW: number = 1 << 20;
const LOOK_BACK = 64 * 1024;
/** How much on both sides of a cut is looked at. */
const NEAR = 4096;
const MOST_TRIES = 40;

/** Redacts bytes, any secret alike: for two parts the same as for the whole, where the cut is good. */
export type Redact = (bytes: Uint8Array) => Uint8Array;

/** Cuts text at ends of lines, or between words, where redacting both sides is the same as redacting them together. */
export function textCutter(redact: Redact): Cutter {
  return {
    next(bytes, isLast) {
      if (bytes.length < WINDOW) return isLast && bytes.length > 0 ? { before: "", bytes } : undefined;
      return { before: "", bytes: bytes.subarray(0, textCut(bytes, redact)) };
    },
  };
}

function textCut(bytes: Buffer, redact: Redact): number {
  let tries = 0;
  // So many letters in a row are no secret, and hold none: then anywhere.
  for (const isEnd of [isLineEnd, isWordEnd, isAnything]) {
    for (let at = WINDOW; at > WINDOW - LOOK_BACK; at--) {
      if (!isEnd(bytes[at - 1]!)) continue;
      if (isGood(bytes, at, redact)) return at;
      if (++tries === MOST_TRIES) throw new UncuttableError("there is no place where the text can be cut");
    }
  }
  throw new UncuttableError("there is no place where the text can be cut");
}

function isGood(bytes: Buffer, at: number, redact: Redact): boolean {
  const from = Math.max(0, at - NEAR), to = Math.min(bytes.length, at + NEAR);
  const apart = Buffer.concat([redact(bytes.subarray(from, at)), redact(bytes.subarray(at, to))]);
  return Buffer.compare(apart, redact(bytes.subarray(from, to))) === 0;
}

function isLineEnd(byte: number): boolean {
  return byte === 0x0a;
}

function isAnything(): boolean {
  return true;
}

/** White space, and what stands between fields of forms, tags and lists. */
function isWordEnd(byte: number): boolean {
  return byte <= 0x20 || byte === 0x26 || byte === 0x3b || byte === 0x2c || byte === 0x3e;
}

/** A string of JSON that is longer than this cannot be cut. */
export const LONGEST_STRING: number = 16 * 1024 * 1024;

/** Something in a body that cannot be redacted while it passes. */
export class UncuttableError extends Error {}

/** What is open at some place in JSON. */
interface Level {
  /** The index of an array; -1 in an object. */
  index: number;
  /** The key in an object, as it stands there with its quotes. */
  key: string;
}

/** Cuts JSON behind commas, and says what is open there. Lines of JSON are cut at their ends. */
export function jsonCutter(): Cutter {
  let open: Level[] = [];
  let before = "";
  // Where the scan of what is there has come to, and the last place where it can be cut.
  let at = 0;
  let inString = -1;
  let mayBeKey = true;
  let lastString: readonly [from: number, to: number] = [0, 0];
  return {
    next(bytes, isLast) {
      while (at < bytes.length) {
        const byte = bytes[at]!;
        if (inString >= 0) {
          if (byte === 0x5c) {
            // What is escaped may be still to come.
            if (at + 1 === bytes.length) break;
            at += 2;
            continue;
          }
          at++;
          if (byte === 0x22) {
            lastString = [inString, at];
            inString = -1;
          } else if (at - inString > LONGEST_STRING) {
            throw new UncuttableError("a string of JSON in it is longer than 16 MiB");
          }
          continue;
        }
        switch (byte) {
          case 0x22:
            inString = at;
            break;
          case 0x7b:
            open.push({ index: -1, key: '""' });
            mayBeKey = true;
            break;
          case 0x5b:
            open.push({ index: 0, key: "" });
            break;
          case 0x7d:
          case 0x5d:
            open.pop();
            break;
          case 0x3a: {
            const level = open.at(-1);
            if (level?.index === -1 && mayBeKey) {
              level.key = bytes.toString("utf8", lastString[0], lastString[1]);
              mayBeKey = false;
            }
            break;
          }
          case 0x2c: {
            const level = open.at(-1);
            if (level !== undefined && level.index >= 0) level.index++;
            mayBeKey = true;
            if (at + 1 >= WINDOW && level !== undefined) return cut(bytes, at + 1);
            break;
          }
          case 0x0a:
            if (open.length === 0 && at + 1 >= WINDOW) return cut(bytes, at + 1);
        }
        if (open.length > 1000) throw new UncuttableError("the JSON in it is nested more than 1,000 deep");
        at++;
      }
      if (!isLast || bytes.length === 0) {
        if (bytes.length > 2 * LONGEST_STRING) throw new UncuttableError("the JSON in it cannot be cut");
        return undefined;
      }
      return cut(bytes, bytes.length);
    },
  };

  function cut(bytes: Buffer, end: number): Window {
    const window = { before, bytes: bytes.subarray(0, end) };
    before = open.map(({ index, key }, i) => {
      if (index >= 0) return `[${"0,".repeat(Math.min(index, 1000))}`;
      // Behind a comma of the innermost object the next key follows.
      return i === open.length - 1 ? "{" : `{${key}:`;
    }).join("");
    open = open.map((level) => ({ ...level }));
    at = 0;
    lastString = [0, 0];
    return window;
  }
}

/** What needs no redaction is cut anywhere. */
export function plainCutter(): Cutter {
  return {
    next: (bytes, isLast) =>
      bytes.length >= WINDOW || (isLast && bytes.length > 0)
        ? { before: "", bytes: bytes.subarray(0, Math.min(bytes.length, WINDOW)) }
        : undefined,
  };
}
