/**
 * The request of a flow as a handler gets it.
 *
 * @module
 */
import { bareHost, parseAuthority } from "../flow/authority.ts";
import type { HttpFlow } from "../flow/http_flow.ts";
import type { Peer } from "../flow/peer.ts";
import { withMethod } from "../rules/platform_request.ts";
import type { AppCall } from "../wire/app/application.ts";
import type { RemoteAddress } from "./handler.ts";

/** For this proxy, and for nobody behind it. */
const FOR_PROXY = ["proxy-authorization", "proxy-connection"];

/** A platform `Request`, whose body is read from the client as it is read here. */
export function gatewayRequest({ flow: { request }, body, signal }: AppCall, url: URL): Request {
  const headers = request.headers.toHeaders();
  for (const name of FOR_PROXY) headers.delete(name);
  if (request.bodyEdited) {
    headers.delete("transfer-encoding");
    headers.set("content-length", String(request.content.size));
  }
  // The platform has no body for these; nobody will read what the client sends.
  const bodiless = body !== null && /^(?:GET|HEAD|TRACE)$/i.test(request.method);
  if (bodiless) body.cancel().catch(() => {});
  const init = { headers, signal, body: bodiless ? null : body, duplex: "half", redirect: "manual" } as RequestInit;
  return withMethod(request.method, (method) => new Request(url, { ...init, method }));
}

/** The tunnel that a flow has come through: a client that gives an address there may name the server in its TLS hello. */
export function tunnelOf({ client }: HttpFlow): { host: string; port: number; named: string } | undefined {
  const tunnel = client.tunnel === undefined ? undefined : parseAuthority(client.tunnel, -1);
  if (tunnel === undefined) return undefined;
  return { host: tunnel.hostname, port: tunnel.port, named: client.tls?.serverName ?? tunnel.hostname };
}

/** What the client has asked for, with `http` or `https`; `null`: it is no URL. */
export function urlOf(flow: HttpFlow): URL | null {
  const url = URL.parse(flow.request.url.replace(/^ws/, "http"));
  const tunnel = tunnelOf(flow);
  // Unless a rule has sent the request elsewhere.
  if (url !== null && tunnel !== undefined && tunnel.host === flow.request.hostname) url.hostname = tunnel.named;
  return url;
}

/** The address of a client, as `Deno.serve` tells it. */
export function remoteAddress({ host, address = host, port }: Peer): RemoteAddress {
  return { transport: "tcp", hostname: bareHost(address), port };
}
