/**
 * Bytes that are nearly right.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A few random changes to a copy: bits flipped, bytes set, lost, repeated and invented, an end that is missing. */
export function mutateBytes(bytes: Uint8Array, random: () => number): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  let out = Buffer.from(bytes);
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(out.length + 1);
    const [before, after] = [out.subarray(0, at), out.subarray(at)];
    const change = below(6);
    if (change === 0) out = Buffer.concat([before, Buffer.of(below(256)), after.subarray(1)]);
    else if (change === 1) out = Buffer.concat([before, Buffer.of((after[0] ?? 0) ^ 1 << below(8)), after.subarray(1)]);
    else if (change === 2) out = Buffer.concat([before, after.subarray(1 + below(8))]);
    else if (change === 3) out = Buffer.concat([before, out.subarray(below(out.length), below(out.length)), after]);
    else if (change === 4) {
      out = Buffer.concat([
        before,
        Buffer.from(Array.from({ length: below(9) }, () => below(256))),
        after,
      ]);
    } else out = Buffer.from(before);
  }
  return out;
}
