/**
 * Where the requests of a connection go: by their target, or by the tunnel they came through.
 *
 * @module
 */
import { defaultPort, parseAuthority } from "../../flow/authority.ts";
import type { RequestAddress, Scheme } from "../../flow/request.ts";
import { ProtocolError } from "../http1/protocol_error.ts";
import type { RequestHead } from "../http1/head.ts";

/** What is known of the server before a request names it. */
export interface Route {
  /** `https` behind TLS, else `http`. */
  readonly scheme: Scheme;
  /** The target of the CONNECT tunnel. */
  readonly tunnel?: { readonly hostname: string; readonly port: number };
}

const ABSOLUTE = /^(https?):\/\/([^/?#]*)(.*)$/i;

/**
 * The address of a request, from its target in absolute form, from the tunnel, or from its Host field (RFC 9112 section 3.3).
 *
 * @throws {ProtocolError} the target or Host is no address, or Host is missing
 */
export function addressOf(head: RequestHead, route: Route): RequestAddress {
  const { target, host } = head;
  if (head.version === "1.1" && host === undefined) {
    throw new ProtocolError("HTTP_HOST", "a request of HTTP/1.1 must have a Host field (RFC 9112 section 3.2)");
  }
  const absolute = target.charCodeAt(0) === SLASH || target === "*" ? null : ABSOLUTE.exec(target);
  if (absolute !== null) {
    const scheme = absolute[1]!.toLowerCase() as Scheme;
    const rest = absolute[3]!;
    const path = rest === "" ? (head.method === "OPTIONS" ? "*" : "/") : rest.startsWith("/") ? rest : `/${rest}`;
    return { scheme, ...authority(absolute[2]!, scheme, "request target"), target: path };
  }
  if (target.charCodeAt(0) !== SLASH && target !== "*") {
    throw new ProtocolError(
      "HTTP_TARGET",
      `the request target ${JSON.stringify(target.slice(0, 100))} is neither a path nor an http URL`,
    );
  }
  const { scheme, tunnel } = route;
  if (tunnel !== undefined) return { scheme, hostname: tunnel.hostname, port: tunnel.port, target };
  if (host === undefined || host === "") {
    throw new ProtocolError(
      "HTTP_HOST",
      "the request does not say where it should go: send an absolute URL or a Host field",
    );
  }
  return { scheme, ...authority(host, scheme, "Host field"), target };
}

/**
 * The target of a CONNECT request (RFC 9110 section 9.3.6).
 *
 * @throws {ProtocolError} it is not `host:port`
 */
export function tunnelOf(head: RequestHead): { hostname: string; port: number } {
  const target = parseAuthority(head.target, -1);
  if (target === undefined || target.port <= 0) {
    throw new ProtocolError("HTTP_TARGET", `CONNECT wants host:port, not ${JSON.stringify(head.target.slice(0, 100))}`);
  }
  return target;
}

const SLASH = 0x2f;

function authority(text: string, scheme: string, what: string): { hostname: string; port: number } {
  const parsed = parseAuthority(text, defaultPort(scheme));
  if (parsed === undefined || parsed.port === 0) {
    throw new ProtocolError(
      what === "Host field" ? "HTTP_HOST" : "HTTP_TARGET",
      `the ${what} names no server: ${JSON.stringify(text.slice(0, 100))}`,
    );
  }
  return parsed;
}
