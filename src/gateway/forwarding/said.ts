/**
 * What a proxy says of a request, read.
 *
 * @module
 */
import { isIP } from "node:net";
import { parseAuthority } from "../../flow/authority.ts";
import { parseForwarded } from "./fields.ts";
import type { Trusted } from "./peer_address.ts";

/** What a proxy says of a request. */
export interface Said {
  /** The address of the client. */
  readonly address?: string;
  /** Host, with its port where it is not that of the scheme. */
  readonly host?: string;
  /** `http` or `https`. */
  readonly scheme?: string;
  /** The path before that of the request, without a slash at its end. */
  readonly prefix?: string;
  /** The name of the client. */
  readonly username?: string;
  /** What the proxy has put before the path. */
  readonly path?: string;
  /** What it has put behind the query. */
  readonly query?: string;
}

/** Something in it cannot be. */
export interface Wrong {
  /** What. */
  readonly wrong: string;
}

/**
 * Reads the fields of a request whose sender is believed.
 *
 * @param trusted proxies that are passed over in the chain of addresses
 */
export function readSaid(headers: Headers, trusted: Trusted): Said | Wrong {
  const text = headers.get("forwarded");
  const elements = text === null ? [] : parseForwarded(text);
  if (elements === undefined) return { wrong: `Forwarded cannot be read (RFC 7239 section 4): ${text}` };
  const last = elements.at(-1) ?? {};
  const of = (...names: string[]) => names.map((name) => headers.get(name)).find((value) => value !== null);
  const chain = of("x-forwarded-for")?.split(",") ?? elements.map((it) => it["for"] ?? "");
  // A proxy before may have written the last of several.
  const host = lastOf(of("x-forwarded-host", "x-forwarded-server")) ?? last["host"];
  const scheme = lastOf(of("x-forwarded-proto", "x-forwarded-scheme"))?.toLowerCase() ?? last["proto"]?.toLowerCase();
  const prefix = of("x-forwarded-script-name", "x-script-name")?.replace(/\/$/, "");
  if (host !== undefined && parseAuthority(host, 0) === undefined) {
    return { wrong: `X-Forwarded-Host is ${JSON.stringify(host)}: host or host:port is expected` };
  }
  if (scheme !== undefined && scheme !== "http" && scheme !== "https") {
    return { wrong: `X-Forwarded-Proto is ${JSON.stringify(scheme)}: http or https is expected` };
  }
  if (prefix !== undefined && prefix !== "" && !/^\/[^?#\s]*$/.test(prefix)) {
    return { wrong: `X-Forwarded-Script-Name is ${JSON.stringify(prefix)}, which does not start with a slash` };
  }
  const username = decoded(of("x-forwarded-user"));
  const address = clientOf(chain, trusted);
  const path = of("x-traversal-path")?.replace(/\/$/, "");
  const query = of("x-traversal-query-string");
  const all = { address, host, scheme, prefix, username, path, query };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** The first one, from the end, that is no trusted proxy: what is before it may have been made up. */
function clientOf(chain: readonly string[], trusted: Trusted): string | undefined {
  const addresses = chain.map(bareAddress);
  for (let at = addresses.length - 1; at >= 0; at--) {
    const address = addresses[at];
    if (address === undefined || isIP(address) === 0) return undefined;
    if (at === 0 || !trusted(address)) return address;
  }
  return undefined;
}

/** Without the port that some proxies add: `192.0.2.1:1234`, `[2001:db8::1]:1234`. */
function bareAddress(text: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/.exec(text.trim()) ?? [];
  return bracketed ?? plain ?? text.trim();
}

function lastOf(value: string | undefined): string | undefined {
  return value?.split(",").at(-1)?.trim();
}

function decoded(value: string | undefined): string | undefined {
  try {
    return value && decodeURIComponent(value);
  } catch {
    return value;
  }
}
