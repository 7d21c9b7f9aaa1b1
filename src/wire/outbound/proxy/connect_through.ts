/**
 * Connects to a server through another proxy.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { isIP, type Socket } from "node:net";
import tls from "node:tls";
import { bareHost } from "../../../flow/authority.ts";
import type { FlowError } from "../../../flow/flow_error.ts";
import { nextPeerId } from "../../../flow/peer.ts";
import type { Trail } from "../../trail.ts";
import { dial, DialError, type DialTls } from "../dial.ts";
import { connectionFailure } from "../failure.ts";
import { HttpConnectHandshake } from "./http_connect.ts";
import { type Handshake, runHandshake } from "./run_handshake.ts";
import { Socks4Handshake } from "./socks4_client.ts";
import { Socks5Handshake } from "./socks5_client.ts";
import { type ProxyTarget, targetName, type UpstreamProxy } from "./upstream_proxy.ts";
import { ProxyRefusal } from "./proxy_refusal.ts";
import { within } from "./within.ts";

/** How to connect. */
export interface ConnectThroughOptions {
  /** Milliseconds for everything together: the proxy, TLS with it, the tunnel. */
  readonly timeout: number;
  /** Given up when it aborts. */
  readonly signal: AbortSignal;
  /** TLS with an `https` proxy. Default: it must have a certificate of a well-known authority. */
  readonly tls?: Omit<DialTls, "serverName">;
  /** The fields of the CONNECT that asks an HTTP proxy for the tunnel, whole lines. Default: Host. */
  readonly fields?: string;
  /** Whether either side of the tunnel can be ended alone. Default: no. */
  readonly halfOpen?: boolean | undefined;
  /** The proxies on the way so far, this one included. */
  readonly trail?: Trail | undefined;
}

/**
 * Opens a tunnel to `target`: what is written to the socket reaches the server, and TLS with the server is put on top with
 * `tls.connect({ socket })`, also where the socket is one of TLS itself.
 *
 * With `socks5` and `socks4` names are resolved here, with the others by the proxy.
 *
 * @throws {DialError} there is no tunnel; the codes are those of `ProxyFailureCode`
 */
export async function connectThrough(
  proxy: UpstreamProxy,
  target: ProxyTarget,
  options: ConnectThroughOptions,
): Promise<Socket> {
  // Nothing is begun that would only be given up.
  if (options.signal.aborted) throw aborted();
  const deadline = performance.now() + options.timeout;
  const limits = {
    left: () => Math.max(1, Math.ceil(deadline - performance.now())),
    timedOut: () => timedOut(proxy, target, options.timeout),
    aborted,
  };
  const resolved = await resolveHere(proxy, target, options.signal, limits);
  const socket = await dialProxy(proxy, target, limits.left(), options);
  try {
    await runHandshake(socket, handshakeFor(proxy, resolved, options), {
      timeoutMs: limits.left(),
      signal: options.signal,
      ended: (cause) => closed(proxy, target, cause),
      timedOut: limits.timedOut,
      aborted,
    });
    return socket;
  } catch (error) {
    socket.destroy();
    if (!(error instanceof ProxyRefusal)) throw error;
    const message = `cannot reach ${targetName(target)}: the proxy ${proxy} ${error.message}`;
    throw new DialError({ code: error.code, message }, error);
  }
}

interface Limits {
  left(): number;
  timedOut(): Error;
  aborted(): Error;
}

function handshakeFor(
  proxy: UpstreamProxy,
  target: ProxyTarget,
  { fields, trail }: ConnectThroughOptions,
): Handshake<unknown> {
  switch (proxy.scheme) {
    case "http":
    case "https":
      return new HttpConnectHandshake(target, proxy.authorization(), fields);
    case "socks4":
    case "socks4a":
      return new Socks4Handshake(target, proxy.credentials()?.username);
    case "socks5":
    case "socks5h":
      return new Socks5Handshake(target, proxy.credentials(), trail);
  }
}

async function resolveHere(
  { scheme }: UpstreamProxy,
  target: ProxyTarget,
  signal: AbortSignal,
  limits: Limits,
): Promise<ProxyTarget> {
  if ((scheme !== "socks4" && scheme !== "socks5") || isIP(bareHost(target.hostname)) !== 0) return target;
  try {
    const found = lookup(target.hostname, { family: scheme === "socks4" ? 4 : 0 });
    const { address } = await within(found, { ...limits, ms: limits.left(), signal });
    return { hostname: address, port: target.port };
  } catch (error) {
    throw error instanceof DialError ? error : new DialError(connectionFailure(error, targetName(target)), error);
  }
}

async function dialProxy(
  proxy: UpstreamProxy,
  target: ProxyTarget,
  timeout: number,
  { signal, tls: trust, trail, halfOpen = false }: ConnectThroughOptions,
): Promise<Socket> {
  const { hostname, port } = proxy;
  try {
    const { socket } = await dial({ id: nextPeerId(), host: hostname, port }, {
      hostname,
      timeout,
      signal,
      halfOpen,
      trail,
      ...(proxy.scheme === "https"
        ? { tls: { serverName: hostname, ...(trust ?? { verify: true, context: tls.createSecureContext() }) } }
        : {}),
    });
    return socket;
  } catch (error) {
    if (!(error instanceof DialError) || error.code === "PROXY_CLOSED") throw error;
    const late = error.code === "UPSTREAM_CONNECT_TIMEOUT";
    const message = `cannot reach ${targetName(target)} through the proxy ${proxy}: ${error.message}`;
    throw new DialError(
      late ? { code: "NEXT_PROXY_TIMEOUT", message, status: 504 } : { code: "NEXT_PROXY_UNREACHABLE", message },
      error,
    );
  }
}

function timedOut(proxy: UpstreamProxy, target: ProxyTarget, timeout: number): DialError {
  const failure: FlowError = {
    code: "NEXT_PROXY_TIMEOUT",
    message: `cannot reach ${targetName(target)}: the proxy ${proxy} did not open the tunnel within ${timeout} ms ` +
      `(timeouts.connect)`,
    status: 504,
  };
  return new DialError(failure);
}

function closed(proxy: UpstreamProxy, target: ProxyTarget, cause?: Error): DialError {
  const message = `cannot reach ${targetName(target)}: the proxy ${proxy} closed the connection before it answered`;
  return new DialError({ code: "NEXT_PROXY_CLOSED", message }, cause);
}

function aborted(): DialError {
  return new DialError({ code: "PROXY_CLOSED", message: "the proxy was closed" });
}
