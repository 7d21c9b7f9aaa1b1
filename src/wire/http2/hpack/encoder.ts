/**
 * Writes field sections (RFC 7541).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { indexOfField, indexOfName } from "./static_table.ts";

/** Sets the size of the dynamic table to 0. */
const NO_TABLE = "\x20";

/**
 * Writes field sections without a dynamic table and without Huffman codes. A proxy on the same machine saves nothing by making
 * fields small, what was secret for the sender stays out of every table (RFC 7541 section 7.1.3), and there is no state to keep.
 *
 * @param raw name, value, name, value...; latin1
 * @param first whether it is the first section of the connection: it says that there is no table
 */
export function encodeFields(raw: readonly string[], first: boolean): Buffer {
  let text = first ? NO_TABLE : "";
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!;
    const value = raw[i + 1]!;
    const whole = indexOfField(name, value);
    if (whole > 0) {
      text += integer(whole, 7, 0x80);
      continue;
    }
    // Never to be indexed by anybody on the way: whether the sender wanted it so is not known here.
    const known = indexOfName(name);
    text += integer(known, 4, 0x10);
    if (known === 0) text += string(name);
    text += string(value);
  }
  return Buffer.from(text, "latin1");
}

function string(text: string): string {
  return integer(text.length, 7, 0) + text;
}

/** An integer with a prefix of `bits` bits (RFC 7541 section 5.1). */
function integer(value: number, bits: number, pattern: number): string {
  const most = 2 ** bits - 1;
  if (value < most) return String.fromCharCode(pattern | value);
  let text = String.fromCharCode(pattern | most);
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) text += String.fromCharCode(rest % 128 | 128);
  return text + String.fromCharCode(rest);
}
