/**
 * Masking of what a client sends (RFC 6455 5.3).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomFillSync } from "node:crypto";

/** Keys are drawn from here: asking for four random bytes at a time costs more than masking a message. */
const POOL: Buffer = Buffer.alloc(4096);
let next = POOL.length;

/** A new masking key. It must not be foreseeable by whoever chooses the payload (RFC 6455 10.3). */
export function maskKey(): Buffer {
  if (next === POOL.length) {
    randomFillSync(POOL);
    next = 0;
  }
  // A copy: the pool is written over.
  return Buffer.from(POOL.subarray(next, next += 4));
}

/**
 * Masks or unmasks `source` into `target` from the offset `at` on.
 *
 * @param phase how many bytes of this frame came before
 */
export function applyMask(target: Uint8Array, at: number, source: Uint8Array, key: Uint8Array, phase: number): void {
  const a = key[phase & 3]!;
  const b = key[(phase + 1) & 3]!;
  const c = key[(phase + 2) & 3]!;
  const d = key[(phase + 3) & 3]!;
  const end = source.length;
  const whole = end - (end & 3);
  for (let i = 0; i < whole; i += 4, at += 4) {
    target[at] = source[i]! ^ a;
    target[at + 1] = source[i + 1]! ^ b;
    target[at + 2] = source[i + 2]! ^ c;
    target[at + 3] = source[i + 3]! ^ d;
  }
  if (whole < end) target[at] = source[whole]! ^ a;
  if (whole + 1 < end) target[at + 1] = source[whole + 1]! ^ b;
  if (whole + 2 < end) target[at + 2] = source[whole + 2]! ^ c;
}
