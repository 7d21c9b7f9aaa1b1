/**
 * The way that a tunnel has come, in the one place of SOCKS 5 that has room for it: among the ways to authenticate that a client offers
 * there are numbers for private use (0x80 to 0xFE, RFC 1928 section 3), and a proxy that does not know them passes over them.
 *
 * @module
 */
import type { Trail } from "./trail.ts";

/** What follows these is a trail: chance does not put them in a row. */
const MARK = [0xf7, 0xf1, 0xf0, 0xf7];
/** Each digit of a name is a method. */
const DIGIT = 0x80;
const DIGITS = 16;
/** A list has room for 255 methods; of a longer way the last proxies tell. */
const MAX_NAMES = 15;
const PREFIX = "flowtape-";

/** The methods that say which way a tunnel has come. */
export function methodsOf(trail: Trail): number[] {
  if (trail.length === 0) return [];
  const digits = trail.slice(-MAX_NAMES).map((name) => name.slice(PREFIX.length)).join("");
  return [...MARK, ...Array.from(digits, (digit) => DIGIT | parseInt(digit, 16))];
}

/** The way that a list of methods tells of; none where it tells of none. */
export function trailIn(methods: Uint8Array): Trail {
  const start = methods.findIndex((_, i) => MARK.every((it, at) => methods[i + at] === it));
  if (start < 0) return [];
  const digits = [...methods.subarray(start + MARK.length)].map((it) =>
    (it & 0xf0) === DIGIT ? (it & 15).toString(16) : " "
  );
  return (digits.join("").match(/^[0-9a-f]*/)![0].match(NAME) ?? []).map((name) => PREFIX + name);
}

const NAME = new RegExp(`.{${DIGITS}}`, "g");
