/**
 * Another proxy that requests go out through.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { bareHost } from "../../../flow/authority.ts";

/** What a proxy speaks. The names are those of curl: `a` and `h` leave the resolving of names to the proxy. */
export type ProxyScheme = "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h";

/** A name and a password. */
export interface ProxyCredentials {
  /** The name. */
  readonly username: string;
  /** The password; `""` when there is none. */
  readonly password: string;
}

/** A proxy; made by `parseProxyUrl`. What it shows of itself, in messages and in logs, has no password in it. */
export class UpstreamProxy {
  /** What it speaks. */
  readonly scheme: ProxyScheme;
  /** A name or an address, IPv6 without brackets. */
  readonly hostname: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly #credentials: ProxyCredentials | undefined;

  /** @param hostname IPv6 with or without brackets */
  constructor(scheme: ProxyScheme, hostname: string, port: number, credentials?: ProxyCredentials) {
    this.scheme = scheme;
    this.hostname = bareHost(hostname);
    this.port = port;
    this.#credentials = credentials;
  }

  /** What the proxy is told about who asks. A method, so that nothing that lists properties shows it. */
  credentials(): ProxyCredentials | undefined {
    return this.#credentials;
  }

  /** The value of Proxy-Authorization (RFC 7617); none without a name. */
  authorization(): string | undefined {
    if (this.#credentials === undefined) return undefined;
    const { username, password } = this.#credentials;
    return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  }

  /** Whether connections through these two are the same: the key of a pool. Holds the password: for comparing alone. */
  key(): string {
    return `${this} ${this.authorization() ?? ""}`;
  }

  /** The URL without name and password. */
  toString(): string {
    return `${this.scheme}://${targetName(this)}`;
  }
}

/** Where to go: IPv6 with or without brackets. */
export interface ProxyTarget {
  /** A name or an address. */
  readonly hostname: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** `host:port`, IPv6 in brackets (RFC 9112 section 3.2.3). */
export function targetName({ hostname, port }: ProxyTarget): string {
  const bare = bareHost(hostname);
  return `${bare.includes(":") ? `[${bare}]` : bare}:${port}`;
}
