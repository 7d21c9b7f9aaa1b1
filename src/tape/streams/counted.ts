/**
 * Text in which lengths stand in front of values, as Redis has it (RESP): `$5\r\nhello\r\n`.
 *
 * @module
 */
import { Buffer } from "node:buffer";

const COUNT = /\$(\d{1,9})\r\n/g;

/** Changes the text, and each value in it by itself with its length; the same array when nothing is changed. */
export function changeCounted(bytes: Uint8Array, change: (piece: Uint8Array) => Uint8Array): Uint8Array {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!whole.includes("$")) return change(bytes);
  const text = whole.toString("latin1");
  const pieces: Uint8Array[] = [];
  let at = 0;
  let any = false;
  let counts = 0;
  const put = (from: number, to: number, counted: boolean) => {
    const before = whole.subarray(from, to);
    const after = to > from ? change(before) : before;
    if (after !== before) any = true;
    if (counted) pieces.push(Buffer.from(`$${after.length}\r\n`));
    pieces.push(after);
  };
  COUNT.lastIndex = 0;
  for (let found = COUNT.exec(text); found !== null; found = COUNT.exec(text)) {
    const start = found.index + found[0].length;
    const end = start + Number(found[1]);
    if (text.slice(end, end + 2) !== "\r\n") continue;
    counts++;
    put(at, found.index, false);
    put(start, end, true);
    COUNT.lastIndex = at = end;
  }
  if (counts === 0) return change(bytes);
  put(at, whole.length, false);
  return any ? Buffer.concat(pieces) : bytes;
}
