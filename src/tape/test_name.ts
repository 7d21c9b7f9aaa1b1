/**
 * What a test file is called without what makes it one.
 *
 * @module
 */
import { basename } from "node:path";

/** `checkout` for `checkout.test.ts`, `checkout_test.ts` and `checkout.spec.mjs`. Tapes of its tests are in a folder of that name. */
export function testNameOf(file: string): string {
  return basename(file).replace(/(?:[._](?:test|spec))?\.[cm]?[jt]sx?$/, "");
}
