/**
 * Values that are long and unusual enough that the same one in two places is the same by intent, and the text around them.
 *
 * @module
 */

/** Text in which every unusual value is a gap. */
export interface Outline {
  /** The text with gaps. Two texts of one outline differ in such values only. */
  readonly shape: string;
  /** What stands in the gaps. */
  readonly values: readonly string[];
  /** The name before each gap, such as `state`; `""` where there is none. */
  readonly names: readonly string[];
}

const PIECE = /\[redacted(?::[\w.-]{1,64})?\]|[A-Za-z0-9_~+=-]{6,}/g;

/** What is longer is a file, and too long for a regular expression: a stretch of one kind would overflow the stack. */
const LONGEST = 1 << 20;

/** The outline of a text. */
export function outlineOf(text: string): Outline {
  if (text.length > LONGEST) return { shape: text, values: [], names: [] };
  const values: string[] = [];
  const names: string[] = [];
  let shape = "";
  let copied = 0;
  for (const { 0: piece, index } of text.matchAll(PIECE)) {
    // A name may stand in front of the value: state=k3j2h4.
    const mark = piece.startsWith("[") ? -1 : piece.search(/=(?!=*$)/);
    const value = mark < 0 ? piece : piece.slice(mark + 1);
    if (!isUnusual(value)) continue;
    const at = index + piece.length - value.length;
    names.push(/([\w.-]{1,64})["']?\s*[:=]\s*["']?$/.exec(text.slice(Math.max(copied, at - 80), at))?.[1] ?? "");
    values.push(value);
    shape += `${text.slice(copied, at)}\0`;
    copied = at + value.length;
  }
  return { shape: shape + text.slice(copied), values, names };
}

/** Whether a value is long and unusual enough. */
export function isUnusual(value: string): boolean {
  if (value.startsWith("[redacted")) return true;
  if (value.length < 6 || value.length > 4096) return false;
  if (/^\d+$/.test(value)) return true;
  if (value.length < 8) return false;
  return /\d/.test(value)
    ? value.length >= 16 || /[A-Za-z]/.test(value)
    : value.length >= 16 && /[a-z][A-Z].*[a-z][A-Z]/.test(value);
}

/** What a value is replaced with. */
export type Pairs = ReadonlyMap<string, string>;

/** How values are written: as they are, in URLs, in JSON. */
export type TextForm = "text" | "url" | "json";

/** Replaces values in text, as they are and as they stand in URLs. */
export function substitute(text: string, pairs: Pairs, form: TextForm = "text"): string {
  if (pairs.size === 0) return text;
  const write = form === "url" ? encodeURIComponent : form === "json" ? inJson : asItIs;
  const all = new Map<string, string>();
  for (const [from, to] of pairs) {
    const encoded = encodeURIComponent(from);
    const plain = form === "json" ? inJson(from) : from;
    if (from === to || (!text.includes(plain) && !text.includes(encoded))) continue;
    if (encoded !== plain) all.set(encoded, encodeURIComponent(to));
    all.set(plain, write(to));
  }
  if (all.size === 0) return text;
  // At once, so that what was put in is not replaced again; the longest first, as one may begin like another.
  const froms = [...all.keys()].sort((a, b) => b.length - a.length).map(escape);
  return text.replace(new RegExp(froms.join("|"), "g"), (from) => all.get(from)!);
}

function asItIs(text: string): string {
  return text;
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escape(text: string): string {
  return text.replace(/[$()*+./?[\\\]^{|}-]/g, "\\$&");
}
