/**
 * What a certificate can be issued for: host names, wildcards and IP addresses.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { FlowtapeError } from "../../flow/error.ts";

/** A name in the form that certificates and caches use. */
export type CertificateName =
  | { readonly kind: "dns"; readonly text: string }
  | { readonly kind: "ip"; readonly text: string; readonly bytes: Uint8Array };

/** Underscores are not host name characters, but names of containers and of SRV records have them. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Brings a name into one form: lower case, A-labels, no trailing dot, no brackets or zone around an address.
 *
 * @param name a host name, `*.` and a host name, or an IP address
 * @throws {FlowtapeError} `CA_BAD_NAME` when no certificate can be issued for it
 */
export function certificateName(name: string): CertificateName {
  // A certificate cannot carry the zone of a link-local address (RFC 6874): it means something to one machine only.
  const address = name.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  const version = isIP(address);
  if (version !== 0) {
    const bytes = version === 4 ? ipv4Bytes(address) : ipv6Bytes(address);
    return { kind: "ip", text: address.toLowerCase(), bytes };
  }
  const text = asciiName(name);
  const host = text.startsWith("*.") ? text.slice(2) : text;
  if (text.length > 253 || !isHostName(host)) {
    throw new FlowtapeError(
      "CA_BAD_NAME",
      `No certificate can be issued for the host name ${quoted(name)}: it must be labels of letters, digits and ` +
        `hyphens separated by dots, 253 characters at most, or an IP address. Check the name that the client asks for.`,
    );
  }
  return { kind: "dns", text };
}

/** Whether a text is a host name in lower case, of 253 characters at most, and not an IP address. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && isIP(text) === 0 && text.split(".").every((label) => LABEL.test(label));
}

function asciiName(name: string): string {
  // deno-lint-ignore no-control-regex
  const ascii = /^[\x00-\x7f]*$/.test(name) ? name.toLowerCase() : name.length > 253 ? "" : domainToASCII(name);
  return ascii.endsWith(".") ? ascii.slice(0, -1) : ascii;
}

function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}

function ipv4Bytes(address: string): Uint8Array {
  return Uint8Array.from(address.split("."), Number);
}

function ipv6Bytes(address: string): Uint8Array {
  const bytes = Buffer.alloc(16);
  const [head = "", tail] = address.split("::");
  const first = words(head);
  const last = words(tail ?? "");
  first.forEach((word, index) => bytes.writeUInt16BE(word, index * 2));
  last.forEach((word, index) => bytes.writeUInt16BE(word, 16 - (last.length - index) * 2));
  return new Uint8Array(bytes);
}

function words(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((part) => {
    if (!part.includes(".")) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = ipv4Bytes(part);
    return [a << 8 | b, c << 8 | d];
  });
}
