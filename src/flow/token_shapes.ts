/**
 * How tokens that can be told by their shape are found in text fast.
 *
 * @module
 */
import { DISCORD, FREE_SHAPES, SHAPES } from "./token_kinds.ts";

/** A stretch of text that has the shape of a token. */
export interface FoundToken {
  /** Where it begins. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** Whose token it is, such as `github_token`. */
  readonly kind: string;
}

/** How much in front of sixteen letters in a row may belong to a token, and how long the whole may be. */
const BEFORE = 64;
const LONGEST = 16_384;

/** Calls `found` for every token in the text, in order. */
export function findTokens(text: string, found: (token: FoundToken) => void): void {
  // Up to where tokens have been found, and up to where they have been looked for.
  let done = 0;
  let seen = 0;
  let search: Search | undefined;
  eachWord(text, 16, (start, end, plain) => {
    // Without a digit only short prefixes are left, such as `hf_`.
    if (end <= done || end <= seen || (plain && !/^\w{1,10}[_-]/.test(text.slice(start, start + 11)))) return;
    // In base64 of an image there is nothing to find; a long JWT begins like one.
    if (end - start > 1024 && !text.startsWith("eyJ", start)) return;
    search ??= FREE_SHAPES.some(([, holds]) => text.includes(holds)) || hasSixBetweenDots(text) ? ALL : FIXED;
    const from = Math.max(done, start - BEFORE);
    const to = endOfToken(text, end);
    const again = search === ALL ? from : Math.max(from, seen);
    // One may be cut off there.
    seen = to - end < LONGEST ? to : to - 1024;
    if (again >= to) return;
    findIn(text, { from, again, to }, search, (token) => {
      done = token.end;
      found(token);
    });
  });
  findPrivateKeys(text, found);
}

/** Shapes as one expression. */
interface Search {
  /** By what {@linkcode threeAt} makes of three characters: 1 if a token may begin so. Without it any place is looked at. */
  readonly starts?: Uint8Array;
  readonly any: RegExp;
  readonly kinds: readonly string[];
}

type Source = readonly [kind: string, source: string];

function searchOf(shapes: readonly Source[], starts?: Uint8Array): Search {
  const any = new RegExp(shapes.map(([, source]) => `(${source})`).join("|"), "y");
  return { any, kinds: shapes.map(([kind]) => kind), starts };
}

const SOURCES = SHAPES.map(([kind, starts, rest]): Source => {
  const start = starts.map((text) => text.replace(/[.$/]/g, "\\$&")).join("|");
  return [kind, `(?:${start})${rest.source}`];
});
const FIXED = searchOf(SOURCES, new Uint8Array(4096));
for (const start of SHAPES.flatMap(([, starts]) => starts)) FIXED.starts![threeAt(start, 0)] = 1;
/** Few texts need all of them. */
const ALL = searchOf([
  ...SOURCES,
  ...FREE_SHAPES.map(([kind, , shape]): Source => [kind, shape.source]),
  [DISCORD[0], DISCORD[1].source],
]);

/** What is looked at: `from` `to`, of which what is before `again` has been looked at already. */
interface Stretch {
  readonly from: number;
  readonly again: number;
  readonly to: number;
}

function findIn(
  text: string,
  { from, again, to }: Stretch,
  { starts, any, kinds }: Search,
  found: (token: FoundToken) => void,
): void {
  let stretch: string | undefined;
  let last = from;
  for (let at = again; at < to;) {
    // None begins within a word, unless another one ends there. Asking costs more than all else here.
    const mayBegin = (at === last || !isLetterOrDigit(text.charCodeAt(at - 1))) &&
      (starts === undefined || starts[threeAt(text, at)] === 1);
    if (!mayBegin) {
      at++;
      continue;
    }
    stretch ??= text.slice(from, to);
    any.lastIndex = at - from;
    const match = any.exec(stretch);
    if (match === null) {
      at++;
      continue;
    }
    const end = at + match[0].length;
    found({ start: at, end, kind: kinds[match.findIndex((part, i) => i > 0 && part !== undefined) - 1]! });
    at = last = end;
  }
}

/** See {@linkcode DISCORD}. */
function hasSixBetweenDots(text: string): boolean {
  for (let at = text.indexOf("."); at >= 0; at = text.indexOf(".", at + 1)) {
    if (text.charCodeAt(at + 7) === 0x2e) return true;
  }
  return false;
}

function threeAt(text: string, at: number): number {
  return (text.charCodeAt(at) << 7 ^ text.charCodeAt(at + 1) << 4 ^ text.charCodeAt(at + 2)) & 4095;
}

function isLetterOrDigit(code: number): boolean {
  return code < 128 && ALNUM[code] === 1;
}

const ALNUM = Uint8Array.from({ length: 128 }, (_, code) => /[A-Za-z0-9]/.test(String.fromCharCode(code)) ? 1 : 0);

/** Replaces the tokens in text, and the private keys (RFC 7468). */
export function replaceTokens(text: string, replace: (token: string, kind: string) => string): string {
  const tokens: FoundToken[] = [];
  findTokens(text, (token) => tokens.push(token));
  if (tokens.length === 0) return text;
  let result = "";
  let copied = 0;
  for (const { start, end, kind } of tokens.sort((a, b) => a.start - b.start)) {
    if (start < copied) continue;
    result += text.slice(copied, start) + replace(text.slice(start, end), kind);
    copied = end;
  }
  return result + text.slice(copied);
}

/**
 * Calls `visit` for everything in the text that is at least `least` letters, digits, `_` and `-` in a row. A loop over
 * character codes costs a tenth of a regular expression here.
 *
 * @param visit `plain`: there is no digit in it
 */
export function eachWord(
  text: string,
  least: number,
  visit: (start: number, end: number, plain: boolean) => void,
): void {
  let start = 0;
  let digits = 0;
  const { length } = text;
  for (let at = 0; at <= length; at++) {
    const code = at < length ? text.charCodeAt(at) : 0;
    const kind = code < 128 ? KIND[code]! : 0;
    if (kind !== 0) {
      digits += kind - 1;
      continue;
    }
    if (at - start >= least) visit(start, at, digits === 0);
    start = at + 1;
    digits = 0;
  }
}

/** 0: ends a word; 1: belongs to it; 2: is a digit. */
const KIND = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return /\d/.test(char) ? 2 : /[\w-]/.test(char) ? 1 : 0;
});

const TAIL = new RegExp(`[\\w.+/=~$-]{0,${LONGEST}}`, "y");

function endOfToken(text: string, end: number): number {
  TAIL.lastIndex = end;
  return end + TAIL.exec(text)![0].length;
}

const PRIVATE_KEY =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[^"'<])*(?:-----END [A-Z0-9 ]{0,40}-----)?/g;

function findPrivateKeys(text: string, found: (token: FoundToken) => void): void {
  if (!text.includes("PRIVATE KEY")) return;
  for (const { index, 0: key } of text.matchAll(PRIVATE_KEY)) {
    // The words alone stand in documentation, and in programs that read keys.
    if (key.length > 100) found({ start: index, end: index + key.length, kind: "private_key" });
  }
}
