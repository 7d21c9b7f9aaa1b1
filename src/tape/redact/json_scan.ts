/**
 * Finds the values in JSON text without rebuilding it, so that one can be replaced and every other byte stays.
 * Takes damaged, cut off and line-delimited JSON too: secrets stand there as well.
 *
 * @module
 */

/** A string, number or word (`true`, `null`) in the text. Only good during the visit. */
export interface JsonValue {
  /** Keys and indexes that lead to it. */
  readonly path: readonly string[];
  /** Where it begins in the text. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** What it is. */
  readonly kind: "string" | "number" | "word";
}

/** Calls `visit` for every value that is not an object or array, in order. Yields now and then, for those who have other things to do. */
export function* scanJson(text: string, visit: (value: JsonValue) => void): Generator<void, void> {
  const path: string[] = [];
  // For each open bracket: the next index of an array, or -1 for an object.
  const open: number[] = [];
  let atKey = false;
  // One for all: bodies have thousands.
  const value: { -readonly [Key in keyof JsonValue]: JsonValue[Key] } = { path, start: 0, end: 0, kind: "word" };
  const leaf = (start: number, end: number, kind: JsonValue["kind"]) => {
    value.start = start;
    value.end = end;
    value.kind = kind;
    visit(value);
  };

  let pause = SLICE;
  for (let at = 0; at < text.length;) {
    if (at > pause) {
      pause = at + SLICE;
      yield;
    }
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
        open.push(-1);
        path.push("");
        atKey = true;
        at++;
        break;
      case 0x5b: // [
        open.push(0);
        path.push("0");
        at++;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        path.pop();
        atKey = false;
        at++;
        break;
      case 0x2c: { // ,
        const index = open.at(-1);
        atKey = index === -1;
        if (index !== undefined && index >= 0) {
          open[open.length - 1] = index + 1;
          path[path.length - 1] = String(index + 1);
        }
        at++;
        break;
      }
      case 0x22: { // "
        const end = endOfString(text, at);
        if (atKey) path[path.length - 1] = keyOf(text.slice(at, end));
        else leaf(at, end, "string");
        atKey = false;
        at = end;
        break;
      }
      case 0x20:
      case 0x09:
      case 0x0a:
      case 0x0d:
      case 0x3a: // :
        at++;
        break;
      default: {
        const end = endOfWord(text, at);
        const code = text.charCodeAt(at);
        leaf(at, end, code === 0x2d || (code >= 0x30 && code <= 0x39) ? "number" : "word");
        at = end;
      }
    }
  }
}

/** Replaces values of JSON text; all else stays as it was. `undefined` leaves a value alone. */
export function* replaceJson(
  text: string,
  replace: (value: JsonValue) => string | undefined,
): Generator<void, string> {
  let result = "";
  let copied = 0;
  yield* scanJson(text, (value) => {
    const replacement = replace(value);
    if (replacement === undefined) return;
    result += text.slice(copied, value.start) + replacement;
    copied = value.end;
  });
  return copied === 0 ? text : result + text.slice(copied);
}

/** So many characters take a millisecond or two. */
const SLICE = 65_536;

function endOfString(text: string, start: number): number {
  for (let at = start + 1;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote + 1;
  }
}

const WORD_END = /[\s{}[\],:"]|$/g;

function endOfWord(text: string, start: number): number {
  WORD_END.lastIndex = start + 1;
  return WORD_END.exec(text)!.index;
}

function keyOf(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return quoted.slice(1, -1);
  }
}
