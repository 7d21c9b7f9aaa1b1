/**
 * Name overrides: where a host leads to, whatever DNS says.
 *
 * @module
 */
import { parseAuthority } from "../../flow/authority.ts";
import { OptionsError } from "../../flow/error.ts";

/** Where a host and port lead to. */
export type HostOverrides = (hostname: string, port: number) => { hostname: string; port: number };

/**
 * Compiles `{ "api.test": "127.0.0.1:4000", "*.test": "127.0.0.1", "api.test:8443": "127.0.0.1:1" }`: `name:port` goes
 * before the name alone, that before the longest wildcard. A target without a port keeps the port.
 *
 * @throws {OptionsError} a name or target is not valid
 */
export function compileHosts(hosts: Record<string, string>): HostOverrides {
  const exact = new Map<string, { hostname: string; port: number }>();
  const wildcards: { suffix: string; target: { hostname: string; port: number } }[] = [];
  for (const [name, to] of Object.entries(hosts)) {
    if (!isName(name)) {
      throw new OptionsError(
        `upstream.hosts has ${JSON.stringify(name)}: a name ("api.test"), a name and port ("api.test:8443") or a ` +
          `wildcard ("*.api.test") is accepted`,
      );
    }
    const target = parseAuthority(to, 0);
    if (target === undefined) {
      throw new OptionsError(
        `upstream.hosts[${JSON.stringify(name)}] is ${JSON.stringify(to)}: "host:port" is accepted`,
      );
    }
    if (name.startsWith("*.")) wildcards.push({ suffix: name.slice(1).toLowerCase(), target });
    else exact.set(name.toLowerCase(), target);
  }
  wildcards.sort((a, b) => b.suffix.length - a.suffix.length);
  return (hostname, port) => {
    const target = exact.get(`${hostname}:${port}`) ?? exact.get(hostname) ??
      wildcards.find(({ suffix }) => hostname.endsWith(suffix))?.target;
    return target === undefined ? { hostname, port } : { hostname: target.hostname, port: target.port || port };
  };
}

function isName(text: string): boolean {
  const parsed = parseAuthority(text.replace(/^\*\./, ""), 0);
  return parsed !== undefined && !parsed.hostname.includes("*") && !(text.startsWith("*.") && parsed.port !== 0);
}
