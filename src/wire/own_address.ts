/**
 * Whether an address is that of the proxy itself.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { within } from "./outbound/proxy/within.ts";

/** Where a proxy listens. */
export interface OwnAddress {
  /** As given: a name or an address. */
  readonly host: string;
  /** -1 as long as it does not listen. */
  port: number;
}

/** How long to look a name up. */
export interface LookupLimits {
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Whether a connection to `hostname:port` would come back to the proxy: by its address in any spelling, or because its name leads
 * there. Names are only looked up where the port is that of the proxy.
 */
export async function leadsHome(
  own: OwnAddress,
  { hostname, port }: { readonly hostname: string; readonly port: number },
  { timeout, signal }: LookupLimits,
): Promise<boolean> {
  if (port !== own.port) return false;
  const address = literal(hostname);
  if (address !== undefined) return isOwn(address, own.host);
  const name = hostname.replace(/\.$/, "").toLowerCase();
  if (name === own.host.toLowerCase() || /(?:^|\.)localhost$/.test(name)) return true;
  try {
    const stop = () => new Error("not in time");
    const found = await within(lookup(name, { all: true }), { ms: timeout, signal, timedOut: stop, aborted: stop });
    return found.length > 0 && found.every((it) => isOwn(literal(it.address) ?? it.address, own.host));
  } catch {
    // Whoever connects will find the same, and say so.
    return false;
  }
}

/** An address as a URL writes it, without brackets: that makes `2130706433`, `0x7f.1` and `127.0.0.1` one. */
function literal(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  const name = URL.parse(`http://${bare.includes(":") ? `[${bare}]` : bare}`)?.hostname.replace(/^\[(.*)\]$/, "$1");
  if (name === undefined || isIP(name) === 0) return undefined;
  const [, high, low] = MAPPED.exec(name) ?? [];
  if (high === undefined || low === undefined) return name;
  const [a, b] = [parseInt(high, 16), parseInt(low, 16)];
  return `${a >> 8}.${a & 255}.${b >> 8}.${b & 255}`;
}

/** `::ffff:127.0.0.1` (RFC 4291 section 2.5.5.2), as a URL writes it. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

/** The unspecified addresses lead to this machine too. */
const HERE = /^(?:127\..*|0\.0\.0\.0|::1|::)$/;

function isOwn(address: string, host: string): boolean {
  if (address === literal(host)) return true;
  const everywhere = host === "0.0.0.0" || host === "::";
  if (HERE.test(address)) return everywhere || isIP(host) === 0 || HERE.test(literal(host) ?? host);
  if (!everywhere) return false;
  return Object.values(networkInterfaces()).some((list) => list?.some((it) => literal(it.address) === address));
}
