/**
 * Options that are given per host: `{ "api.test": ..., "api.test:8443": ..., "*.test": ... }`.
 *
 * @module
 */
import { parseAuthority } from "../../flow/authority.ts";
import { OptionsError } from "../../flow/error.ts";

/** What was given for a host and port. */
export type ByHost<T> = (hostname: string, port: number) => T | undefined;

/**
 * Compiles a table: `name:port` goes before the name alone, that before the longest wildcard. A dot at the end of a name, which makes
 * it a whole one for DNS, makes no difference.
 *
 * @param where the name of the option, for errors
 * @throws {OptionsError} a name is not valid
 */
export function compileByHost<T>(table: ReadonlyMap<string, T>, where: string): ByHost<T> {
  const exact = new Map<string, T>();
  const wildcards: { suffix: string; value: T }[] = [];
  for (const [name, value] of table) {
    if (!isName(name)) {
      throw new OptionsError(
        `${where} has ${JSON.stringify(name)}: a name ("api.test"), a name and port ("api.test:8443") or a ` +
          `wildcard ("*.api.test") is accepted`,
      );
    }
    const key = name.toLowerCase().replace(/\.(?=:\d+$|$)/, "");
    if (key.startsWith("*.")) wildcards.push({ suffix: key.slice(1), value });
    else exact.set(key, value);
  }
  wildcards.sort((a, b) => b.suffix.length - a.suffix.length);
  return (hostname, port) => {
    const name = hostname.replace(/\.$/, "");
    return exact.get(`${name}:${port}`) ?? exact.get(name) ??
      wildcards.find(({ suffix }) => name.endsWith(suffix))?.value;
  };
}

function isName(text: string): boolean {
  const parsed = parseAuthority(text.replace(/^\*\./, ""), 0);
  return parsed !== undefined && !parsed.hostname.includes("*") && !(text.startsWith("*.") && parsed.port !== 0);
}
