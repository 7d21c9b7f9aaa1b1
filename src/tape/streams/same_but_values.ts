/**
 * Raw bytes of a client beside those of a recording that differ from them: how far the two go the same way, but for values.
 *
 * @module
 */

/** How far they go: so many bytes of each. `more`: a value may not be there as a whole yet. */
export interface SameButValues {
  readonly recorded: number;
  readonly live: number;
  readonly more: boolean;
}

const WORD = /[\w~+=-]+/y;
/** The length of what follows, as Redis writes it: that of a value is as long as the value. */
const COUNT = /\$\d{1,9}\r\n/y;

/** `undefined`: they differ in more than words. */
export function sameButValues(recorded: string, live: string): SameButValues | undefined {
  let a = 0;
  let b = 0;
  let more = false;
  while (a < recorded.length && b < live.length) {
    const counts = [at(COUNT, recorded, a), at(COUNT, live, b)] as const;
    if (counts[0] !== undefined && counts[1] !== undefined) {
      a += counts[0].length;
      b += counts[1].length;
      continue;
    }
    const words = [at(WORD, recorded, a), at(WORD, live, b)] as const;
    if (words[0] !== undefined && words[1] !== undefined) {
      a += words[0].length;
      b += words[1].length;
      // What comes next may belong to it.
      if (b === live.length && words[0] !== words[1]) more = a < recorded.length || words[1].length < words[0].length;
      continue;
    }
    if (recorded[a] !== live[b]) {
      // Half a length.
      return recorded[a] === "$" && /^\$\d*\r?$/.test(live.slice(b)) ? { recorded: a, live: b, more: true } : undefined;
    }
    a++;
    b++;
  }
  return { recorded: a, live: b, more };
}

/** The text without such lengths. */
export function withoutCounts(text: string): string {
  return text.replace(/\$\d{1,9}\r\n/g, "$\r\n");
}

function at(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}
