/**
 * Where a SOCKS client wants to go.
 *
 * @module
 */
import { isIP } from "node:net";
import type { Trail } from "../../trail.ts";

/** What a SOCKS client asks for. */
export interface SocksRequest {
  /** A name in lower case or an address; IPv6 in brackets, as in a URL. */
  readonly hostname: string;
  /** 1 to 65535. */
  readonly port: number;
  /** Who the client says it is; checked only where authentication is asked for. */
  readonly username?: string;
  /** The proxies that it has come through, as far as it says so. */
  readonly trail?: Trail;
}

/** The text of an address of 4 or 16 bytes; IPv6 in the one form of RFC 5952, in brackets. */
export function hostnameOfAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2]! << 8) | bytes[at * 2 + 1]!).toString(16));
  return canonical(groups.join(":"));
}

/**
 * A name that a client sent; `undefined` when it is none. Clients send addresses as names too, IPv6 with and without
 * brackets. What is not ASCII has to come in its ASCII form (RFC 5890), as it does from every client that knows of it:
 * converting it here would hide what was sent.
 */
export function hostnameOfName(bytes: Uint8Array): string | undefined {
  const name = String.fromCharCode(...bytes).toLowerCase();
  const bare = name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
  if (isIP(bare) === 6 && !bare.includes("%")) return canonical(bare);
  return NAME.test(name) ? name : undefined;
}

// Printable ASCII without what means something in a URL; names may hold "_" although DNS host names do not.
const NAME = /^[!$&'()*+,\-.0-9;=A-Z_a-z~]+$/;

function canonical(address: string): string {
  return new URL(`http://[${address}]`).hostname;
}
