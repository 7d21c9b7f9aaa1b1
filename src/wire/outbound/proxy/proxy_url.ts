/**
 * Reads the URL of a proxy.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { parseAuthority } from "../../../flow/authority.ts";
import { OptionsError } from "../../../flow/error.ts";
import { type ProxyCredentials, type ProxyScheme, UpstreamProxy } from "./upstream_proxy.ts";

const PORTS: Readonly<Record<ProxyScheme, number>> = {
  http: 80,
  https: 443,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};

/**
 * Reads `scheme://user:password@host:port`. Without a scheme it is `http`, as for curl and Go; without a port 80, 443 or
 * 1080. Characters that mean something in a URL are percent-encoded in the name and the password.
 *
 * Not with `new URL`: what that makes of schemes it does not know differs, and its error shows the password.
 *
 * @param option where the URL was given, for messages
 * @throws {OptionsError} it is not the URL of a proxy; the message does not repeat it, for the password in it
 */
export function parseProxyUrl(text: string, option = "upstream.proxy"): UpstreamProxy {
  const fail = (why: string): never => {
    throw new OptionsError(
      `${option} is not the URL of a proxy: ${why}. Accepted is "http://user:password@host:port", or the same with ` +
        `https, socks5, socks5h, socks4 or socks4a (what was given is not repeated here: it may hold a password)`,
    );
  };
  const [, given, rest = ""] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*)$/s.exec(text) ?? [];
  const scheme = given === undefined ? "http" : given.toLowerCase();
  if (!isScheme(scheme)) {
    return fail(
      scheme === "socks" ? `"socks" can be 4 or 5: say which` : `its scheme is ${JSON.stringify(given)}`,
    );
  }
  const at = rest.lastIndexOf("@");
  const userinfo = at === -1 ? undefined : rest.slice(0, at);
  if (userinfo !== undefined && /[@/?#\s]/.test(userinfo)) {
    return fail("its name or password holds one of @ / ? # or a space, to be written %40 %2F %3F %23 and %20");
  }
  const authority = /^([^/?#]*)\/?$/.exec(rest.slice(at + 1))?.[1];
  if (authority === undefined) return fail("something follows the host and port");
  if (authority === "" || authority.startsWith(":")) return fail("it has no host");
  const place = parseAuthority(authority, PORTS[scheme]);
  if (place === undefined || place.port === 0) return fail("its host and port cannot be read");
  return new UpstreamProxy(scheme, place.hostname, place.port, credentialsOf(scheme, userinfo, fail));
}

function isScheme(text: string): text is ProxyScheme {
  return Object.hasOwn(PORTS, text);
}

function credentialsOf(
  scheme: ProxyScheme,
  userinfo: string | undefined,
  fail: (why: string) => never,
): ProxyCredentials | undefined {
  if (userinfo === undefined || userinfo === "" || userinfo === ":") return undefined;
  const colon = userinfo.indexOf(":");
  const username = decode(colon === -1 ? userinfo : userinfo.slice(0, colon), fail);
  const password = decode(colon === -1 ? "" : userinfo.slice(colon + 1), fail);
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(username + password)) fail("its name or password holds control characters");
  switch (scheme) {
    case "http":
    case "https":
      // RFC 7617 section 2: the first colon is where the password begins.
      if (username.includes(":")) fail("its name holds a colon, which Basic authentication cannot carry");
      break;
    case "socks4":
    case "socks4a":
      if (password !== "") fail("SOCKS 4 has a name but no password: use socks5");
      break;
    default:
      // RFC 1929 section 2: 1 to 255 bytes each. Proxies without a password are sent an empty one all the same.
      if (username === "") fail("SOCKS 5 needs a name before the password");
      if (Buffer.byteLength(username) > 255 || Buffer.byteLength(password) > 255) {
        fail("SOCKS 5 carries names and passwords of up to 255 bytes");
      }
  }
  return { username, password };
}

function decode(text: string, fail: (why: string) => never): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail("its name or password holds a % that is not followed by two hexadecimal digits of UTF-8: write %25");
  }
}
