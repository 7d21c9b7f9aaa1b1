/**
 * The version in a start line.
 *
 * @module
 */

/** The minor version when `HTTP/1.` and a digit start at `at`, else -1. All eight bytes must be there. */
export function minorVersion(bytes: Uint8Array, at: number): number {
  if (
    bytes[at] !== 0x48 || bytes[at + 1] !== 0x54 || bytes[at + 2] !== 0x54 || bytes[at + 3] !== 0x50 ||
    bytes[at + 4] !== 0x2f || bytes[at + 5] !== 0x31 || bytes[at + 6] !== 0x2e
  ) return -1;
  const minor = bytes[at + 7]! - 0x30;
  return minor >= 0 && minor <= 9 ? minor : -1;
}
