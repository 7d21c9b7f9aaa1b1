/** Connections to a contender: plain, or through CONNECT and TLS. */
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import process from "node:process";
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { requestBytes } from "../payload.ts";

/** Where a proxy listens and which authority signs what it presents. */
export interface Endpoint {
  readonly port: number;
  readonly ca?: string;
}

/** What is asked for through the proxy. */
export interface Destination {
  readonly scheme: "http" | "https";
  readonly host: string;
  readonly port: number;
}

/**
 * mockttp takes a client that has, by chance, the same address and port as one of its own connections to the origin for itself.
 * Clients therefore come from another loopback address, where there is more than one.
 */
export const CLIENT_ADDRESS = process.platform === "darwin" ? undefined : "127.0.0.2";

export async function dial(port: number): Promise<Socket> {
  const socket = connectTcp({
    port,
    host: "127.0.0.1",
    localAddress: CLIENT_ADDRESS,
    noDelay: true,
  });
  await once(socket, "connect");
  return socket;
}

/** Opens a tunnel and speaks TLS in it, as a client that checks the certificate. */
export async function dialTls(
  socket: Socket,
  to: Destination,
  { trust, alpn = "http/1.1" }: { trust: SecureContext; alpn?: string },
): Promise<TLSSocket> {
  await openTunnel(socket, to);
  const secure = connectTls({
    socket,
    servername: to.host,
    secureContext: trust,
    ALPNProtocols: [alpn],
  });
  await once(secure, "secureConnect");
  return secure;
}

/** What asks a proxy for a tunnel. */
export function connectRequest({ host, port }: Destination): string {
  return `CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`;
}

async function openTunnel(socket: Socket, to: Destination): Promise<void> {
  socket.write(connectRequest(to));
  const [answer] = await once(socket, "data") as [Buffer];
  if (!/^HTTP\/1\.1 200 .*\r\n\r\n$/s.test(answer.toString("latin1"))) {
    throw new Error(`wrong response to CONNECT ${to.host}:${to.port}:\n${answer.toString("latin1")}`);
  }
  socket.removeAllListeners("data");
}

/** One context for all connections to a proxy: building one costs more than a handshake. */
export function trustIn(endpoint: Endpoint): SecureContext {
  return createSecureContext({ ca: endpoint.ca });
}

/** The bytes that ask for a path: absolute-form to a proxy in the clear, origin-form in a tunnel. */
export function requestFor(to: Destination, path: string): Buffer {
  const host = isDefaultPort(to) ? to.host : `${to.host}:${to.port}`;
  return requestBytes(to.scheme === "http" ? `http://${host}${path}` : path, host);
}

function isDefaultPort(to: Destination): boolean {
  return to.port === (to.scheme === "http" ? 80 : 443);
}
