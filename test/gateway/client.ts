/**
 * Clients that speak with an application through a proxy, as Python's requests and websocket-client do.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import { checkServerIdentity, type ConnectionOptions } from "node:tls";
import type { Proxy } from "../../src/mod.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { connectRaw } from "../support/raw_client.ts";
import { readResponse, requestTo, type WireResponse } from "../wire/http1_client.ts";
import { afterSwitch, handshake, type Peer } from "../wire/websocket/peers.ts";

/** A request. */
export interface Ask {
  method?: string;
  /** Whole lines, without their end. */
  fields?: string[];
  body?: string;
  /** `name:password` for the proxy. */
  login?: string;
  /** The version in the request line. */
  version?: "1.0" | "1.1";
  /** The target of CONNECT, when it is another one than that of the URL. */
  connect?: string;
}

/** Sends a request: with `http` in absolute form, with `https` in a tunnel. */
export async function ask(proxy: Proxy, url: string, options: Ask = {}): Promise<WireResponse> {
  const { method = "GET", fields = [], body, login, version = "1.1", connect } = options;
  const own = login === undefined ? [] : [loginField(login)];
  await using connection = await connectRaw(proxy.port);
  const head = (request: string) => request.replace("HTTP/1.1", `HTTP/${version}`);
  if (url.startsWith("http:")) {
    await connection.write(head(requestTo(url, { method, fields: [...fields, ...own], body })));
    return await readResponse(connection, method);
  }
  const refused = await tunnel(connection, connect ?? hostOf(url), own);
  if (refused !== undefined) return refused;
  await using secure = await connection.startTls(trusting(proxy, url));
  await secure.write(head(requestTo(url, { method, fields, body })).replace(/ https:\/\/[^/]+/, " "));
  return await readResponse(secure, method);
}

/** Opens a WebSocket in a tunnel, as clients do for `ws` as for `wss`. */
export async function openSocket(proxy: Proxy, url: string, fields: string[] = []): Promise<Peer> {
  const connection = await connectRaw(proxy.port);
  const { host, pathname, search } = new URL(url);
  await tunnel(connection, hostOf(url), []);
  const carrier = url.startsWith("wss:") ? await connection.startTls(trusting(proxy, url)) : connection;
  await carrier.write(handshake(pathname + search, host, fields));
  return await afterSwitch(carrier);
}

/** Sends a message and gives the answer. */
export async function tell(peer: Peer, text: string): Promise<string> {
  await peer.send({ opcode: "text", payload: text });
  return Buffer.from((await peer.frame()).payload).toString();
}

/** The line that says who a client of the proxy is. */
export function loginField(login: string): string {
  return `Proxy-Authorization: Basic ${Buffer.from(login).toString("base64")}`;
}

async function tunnel(connection: RawConnection, target: string, fields: string[]): Promise<WireResponse | undefined> {
  await connection.write([`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...fields, "\r\n"].join("\r\n"));
  const head = await connection.readHead();
  if (head.startsWith("HTTP/1.1 200 ")) return undefined;
  return {
    status: Number(head.split(" ")[1]),
    head,
    headers: [],
    header: () => undefined,
    text: "",
    chunks: [],
    trailers: "",
  };
}

function hostOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (/^(?:https|wss):$/.test(protocol) ? 443 : 80)}`;
}

function trusting(proxy: Proxy, url: string): ConnectionOptions {
  const { hostname } = new URL(url);
  return {
    ca: proxy.ca.cert,
    // An address is no server name (RFC 6066 section 3).
    servername: isIP(hostname) ? "" : hostname,
    checkServerIdentity: (_, certificate) => checkServerIdentity(hostname, certificate),
  };
}
