/**
 * Where the requests of a connection go: by their target, or by the tunnel they came through.
 *
 * @module
 */
import { defaultPort, parseAuthority } from "../../flow/authority.ts";
import type { RequestAddress, Scheme } from "../../flow/request.ts";
import { quote } from "../http1/field_line_error.ts";
import { ProtocolError } from "../http1/protocol_error.ts";
import type { RequestHead } from "../http1/head.ts";
import { asksForWebSocket } from "../websocket/handshake.ts";

/** What is known of the server before a request names it. */
export interface Route {
  /** `https` behind TLS, else `http`. */
  readonly scheme: Scheme;
  /** The target of the CONNECT tunnel. */
  readonly tunnel?: { readonly hostname: string; readonly port: number };
  /** Whatever comes in the tunnel is relayed as it is. */
  readonly relay?: boolean;
}

/** Finds the addresses of the requests of one connection. Most go where the last one went: that is only compared. */
export class Router {
  readonly #route: Route;
  #last:
    | { readonly text: string; readonly scheme: Scheme; readonly hostname: string; readonly port: number }
    | undefined;

  /** @param route what is known of the server */
  constructor(route: Route) {
    this.#route = route;
  }

  /**
   * The address of a request, from its target in absolute form, from the tunnel, or from its Host field (RFC 9112 section 3.3).
   *
   * @throws {ProtocolError} the target or Host is no address, or Host is missing
   */
  addressOf(head: RequestHead): RequestAddress {
    const { target, host } = head;
    if (head.version === "1.1" && host === undefined) {
      throw new ProtocolError("HTTP_HOST", "a request of HTTP/1.1 must have a Host field (RFC 9112 section 3.2)");
    }
    if (target.charCodeAt(0) !== SLASH && target !== "*") return this.#absolute(head);
    const { scheme, tunnel } = this.#route;
    if (tunnel !== undefined) return { scheme, hostname: tunnel.hostname, port: tunnel.port, target };
    if (host === undefined || host === "") {
      throw new ProtocolError(
        "HTTP_HOST",
        "the request does not say where it should go: send an absolute URL or a Host field",
      );
    }
    const { hostname, port } = this.#authority(host, scheme, "HTTP_HOST");
    return { scheme, hostname, port, target };
  }

  #absolute({ target: url, method, upgrade }: RequestHead): RequestAddress {
    // Some clients name a WebSocket by its own scheme.
    const match = (asksForWebSocket(method, upgrade) ? WEBSOCKET : ABSOLUTE).exec(url);
    if (match === null) {
      throw new ProtocolError(
        "HTTP_TARGET",
        `the request target ${quote(url)} is neither a path nor an http URL`,
      );
    }
    const [start, name = "", text = ""] = match;
    const scheme = name.toLowerCase().replace(/^ws/, "http") as Scheme;
    const { hostname, port } = this.#authority(text, scheme, "HTTP_TARGET");
    const rest = url.slice(start.length);
    const path = rest === "" ? (method === "OPTIONS" ? "*" : "/") : rest.startsWith("/") ? rest : `/${rest}`;
    return { scheme, hostname, port, target: path };
  }

  #authority(text: string, scheme: Scheme, code: "HTTP_HOST" | "HTTP_TARGET"): { hostname: string; port: number } {
    if (this.#last?.text === text && this.#last.scheme === scheme) return this.#last;
    const parsed = parseAuthority(text, defaultPort(scheme));
    if (parsed === undefined || parsed.port === 0) {
      const what = code === "HTTP_HOST" ? "Host field" : "request target";
      throw new ProtocolError(code, `the ${what} names no server: ${quote(text.replace(/^.*@/, "[redacted]@"))}`);
    }
    this.#last = { text, scheme, ...parsed };
    return parsed;
  }
}

/**
 * The target of a CONNECT request (RFC 9110 section 9.3.6).
 *
 * @throws {ProtocolError} it is not `host:port`
 */
export function tunnelOf(head: RequestHead): { hostname: string; port: number } {
  const target = parseAuthority(head.target, -1);
  if (target === undefined || target.port <= 0) {
    throw new ProtocolError("HTTP_TARGET", `CONNECT wants host:port, not ${quote(head.target)}`);
  }
  return target;
}

const SLASH = 0x2f;
const WEBSOCKET = /^(https?|wss?):\/\/([^/?#]*)/i;
const ABSOLUTE = /^(https?):\/\/([^/?#]*)/i;
