/**
 * Host and port as one string and apart (RFC 3986 section 3.2).
 *
 * @module
 */

/** The port a scheme uses when none is named. */
export function defaultPort(scheme: string): number {
  return scheme === "https" || scheme === "wss" ? 443 : 80;
}

/** `host` or `host:port`, without the default port of the scheme. */
export function formatAuthority(scheme: string, hostname: string, port: number): string {
  return port === defaultPort(scheme) ? hostname : `${hostname}:${port}`;
}

// Names may hold "_" although DNS host names do not: container networks use it.
const AUTHORITY = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@[\]\\<>^`{|}"%]+)(?::(\d{1,5}))?$/;

/**
 * Takes `host` or `host:port` apart; IPv6 addresses are in brackets. `undefined` when it is neither.
 *
 * @param fallback the port when none is named
 */
export function parseAuthority(text: string, fallback: number): { hostname: string; port: number } | undefined {
  const match = AUTHORITY.exec(text);
  if (match === null) return undefined;
  const port = match[2] === undefined ? fallback : Number(match[2]);
  if (port > 65535) return undefined;
  return { hostname: match[1]!.toLowerCase(), port };
}

/** An address as sockets want it: IPv6 without brackets. */
export function bareHost(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}
