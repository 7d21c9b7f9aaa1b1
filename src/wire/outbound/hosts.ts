/**
 * Name overrides: where a host leads to, whatever DNS says.
 *
 * @module
 */
import { parseAuthority } from "../../flow/authority.ts";
import { OptionsError } from "../../flow/error.ts";
import { compileByHost } from "./by_host.ts";

/** Where a host and port lead to; `undefined` where nothing says otherwise. */
export type HostOverrides = (hostname: string, port: number) => { hostname: string; port: number } | undefined;

/**
 * Compiles `{ "api.test": "127.0.0.1:4000", "*.test": "127.0.0.1", "api.test:8443": "127.0.0.1:1" }`. A target without a port keeps
 * the port.
 *
 * @throws {OptionsError} a name or target is not valid
 */
export function compileHosts(hosts: Record<string, string>): HostOverrides {
  const targets = new Map<string, { hostname: string; port: number }>();
  for (const [name, to] of Object.entries(hosts)) {
    const target = parseAuthority(to, 0);
    if (target === undefined) {
      throw new OptionsError(
        `upstream.hosts[${JSON.stringify(name)}] is ${JSON.stringify(to)}: "host:port" is accepted`,
      );
    }
    targets.set(name, target);
  }
  const targetOf = compileByHost(targets, "upstream.hosts");
  return (hostname, port) => {
    const target = targetOf(hostname, port);
    return target && { hostname: target.hostname, port: target.port || port };
  };
}
