/**
 * The bytes of IP addresses.
 *
 * @module
 */
import { isIP } from "node:net";

/** The 4 or 16 bytes of an address without brackets; `undefined` when it is none. A zone (`fe80::1%eth0`) is left out. */
export function addressBytes(address: string): Uint8Array | undefined {
  switch (isIP(address)) {
    case 4:
      return Uint8Array.from(address.split("."), Number);
    case 6:
      return ipv6Bytes(address);
    default:
      return undefined;
  }
}

/** The same address, as IPv4 when it is one in the clothes of IPv6 (`::ffff:10.0.0.1`, RFC 4291 section 2.5.5.2). */
export function unmapped(bytes: Uint8Array): Uint8Array {
  const mapped = bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff &&
    bytes.subarray(0, 10).every((it) => it === 0);
  return mapped ? bytes.subarray(12) : bytes;
}

function ipv6Bytes(address: string): Uint8Array {
  // URL writes the address in groups of hexadecimal digits, whatever form it was given in.
  const text = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const before = groups(head);
  const after = groups(tail ?? "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((it) => [it >> 8, it & 0xff]));
}

function groups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((it) => Number.parseInt(it, 16));
}
