/**
 * Connections of clients in this process to servers, through a proxy.
 *
 * @module
 */
import type { Socket } from "node:net";
import tls from "node:tls";
import { FlowtapeError } from "../flow/error.ts";
import { DialError } from "../wire/outbound/dial.ts";
import { connectThrough, type ProxyTarget } from "../wire/outbound/proxy/mod.ts";
import { type ProxyAddress, upstreamOf } from "./address.ts";

/** How a connection is made. */
export interface TunnelOptions {
  /** Milliseconds until the tunnel must be open. Default: 30,000. */
  readonly timeout?: number | undefined;
  /** Given up when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** As long as somebody waits who has said nothing else. */
const TIMEOUT = 30_000;

const never = new AbortController().signal;

/**
 * A connection to a server through the proxy. Plain http goes through a tunnel too, as undici and Node's own agents do it.
 *
 * @throws {FlowtapeError} `PROXY_UNREACHABLE`, `PROXY_AUTH`, `PROXY_REFUSED`, `PROXY_ANSWER`, `PROXY_TIMEOUT`, `PROXY_CLOSED`
 */
export async function openTunnel(
  address: ProxyAddress,
  target: ProxyTarget,
  { timeout, signal = never }: TunnelOptions = {},
): Promise<Socket> {
  const proxy = upstreamOf(address);
  try {
    const trust = proxy.scheme === "https" ? { tls: { verify: true, context: contextFor(address.ca) } } : {};
    const socket = await connectThrough(proxy, target, { timeout: timeout || TIMEOUT, signal, ...trust });
    socket.setNoDelay(true);
    return socket;
  } catch (error) {
    if (!(error instanceof DialError)) throw error;
    throw new FlowtapeError(error.code.replace(/^NEXT_/, ""), error.message, { cause: error });
  }
}

/** Puts TLS on a tunnel: whom the options trust, and the authority of the proxy. */
export function secureTunnel(socket: Socket, options: tls.ConnectionOptions, ca: string | undefined): tls.TLSSocket {
  // node:http leaves the path of the request there, which a socket would take for its own.
  return tls.connect({ ...options, ...trusting(options, ca), path: undefined, socket });
}

/** What makes a client trust the authority of a proxy besides those that it trusts already. */
function trusting(options: tls.ConnectionOptions, ca: string | undefined): tls.ConnectionOptions {
  // A context that was made before cannot be told of another authority.
  if (ca === undefined || options.secureContext !== undefined) return {};
  if (!OWN_CONTEXT.some((name) => options[name] !== undefined && options[name] !== null)) {
    return { secureContext: contextFor(ca) };
  }
  const own = options.ca ?? wellKnown();
  return { ca: [...(typeof own === "string" || own instanceof Uint8Array ? [own] : own), ca] };
}

/** With any of these, a client wants a context of its own. */
const OWN_CONTEXT = [
  "ca",
  "cert",
  "key",
  "pfx",
  "passphrase",
  "ciphers",
  "ecdhCurve",
  "sigalgs",
  "crl",
  "minVersion",
  "maxVersion",
  "secureProtocol",
  "secureOptions",
  "ALPNCallback",
] as const satisfies readonly (keyof tls.ConnectionOptions)[];

// Making one reads every well-known authority. There are as many as there are authorities of proxies: one, as a rule.
const contexts = new Map<string, tls.SecureContext>();
const CONTEXTS_KEPT = 8;

function contextFor(ca: string | undefined): tls.SecureContext {
  const known = contexts.get(ca ?? "");
  if (known !== undefined) return known;
  const context = tls.createSecureContext(ca === undefined ? {} : { ca: trustedWith(ca) });
  if (contexts.size >= CONTEXTS_KEPT) contexts.delete(contexts.keys().next().value!);
  contexts.set(ca ?? "", context);
  return context;
}

/** The well-known authorities, and one more. */
export function trustedWith(ca: string): string[] {
  return [...wellKnown(), ca];
}

function wellKnown(): readonly string[] {
  return tls.getCACertificates?.("default") ?? tls.rootCertificates;
}
