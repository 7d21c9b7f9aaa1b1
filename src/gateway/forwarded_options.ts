/**
 * The options of `forwarded()`.
 *
 * @module
 */
import { parseAuthority } from "../flow/authority.ts";
import { OptionsError } from "../flow/error.ts";
import { type Check, list, oneOf, refuse, secret, shape, text, whole } from "../options/schema.ts";
import { checkPrefix } from "./prefix.ts";

/** What {@linkcode forwarded} takes. */
export interface ForwardedOptions {
  /** Shared with {@linkcode reverse} on the other side: what is signed with it is believed. None by default. */
  secret?: string;
  /** Addresses and networks (`"10.0.0.0/8"`) of proxies that are believed without a signature. None by default. */
  trustIps?: readonly string[];
  /** How old a signature may be, in milliseconds. 300,000 by default: five minutes. */
  window?: number;
  /** The path before that of every request, as the client sees it; whatever a proxy says. Not together with `popPrefix`. */
  prefix?: string;
  /** A path that every request begins with: it is taken off, and is `info.prefix`. Another request is answered with 400. */
  popPrefix?: string;
  /** `"http"` or `"https"`, whatever a proxy says. */
  scheme?: "http" | "https";
  /** Host and port, such as `"shop.test:443"`, whatever a proxy says. Not together with `domain` or `port`. */
  host?: string;
  /** The host alone, whatever a proxy says: the port stays. */
  domain?: string;
  /** The port alone, whatever a proxy says: the host stays. */
  port?: number;
}

const hostAndPort: Check = (value, where) => {
  if (typeof value === "string" && (parseAuthority(value, -1)?.port ?? -1) !== -1) return;
  refuse(value, where, 'host and port such as "shop.test:443" (domain is for the host alone)');
};

const domain: Check = (value, where) => {
  if (typeof value === "string" && parseAuthority(value, -1)?.port === -1) return;
  refuse(value, where, 'a host without a port such as "shop.test" (host is for both)');
};

const check = shape({
  secret,
  trustIps: list(text),
  window: whole(1),
  prefix: checkPrefix,
  popPrefix: checkPrefix,
  scheme: oneOf("http", "https"),
  host: hostAndPort,
  domain,
  port: whole(1, 65535),
});

/** Options that make no sense together, and why. */
const CONFLICTS: readonly (readonly [keyof ForwardedOptions, keyof ForwardedOptions, string])[] = [
  ["prefix", "popPrefix", "one says what the prefix is, the other where it is found"],
  ["host", "port", "host has a port already"],
  ["host", "domain", "host has a domain already"],
];

/** @throws {OptionsError} something is not accepted, or does not go with something else */
export function checkForwarded(options: ForwardedOptions): void {
  check(options, "");
  for (const [one, other, why] of CONFLICTS) {
    if (options[one] === undefined || options[other] === undefined) continue;
    throw new OptionsError(`options ${one} and ${other} of forwarded() exclude each other: ${why}`);
  }
  if (options.window !== undefined && options.secret === undefined) {
    throw new OptionsError("option window of forwarded() is for signatures: it needs secret");
  }
}
