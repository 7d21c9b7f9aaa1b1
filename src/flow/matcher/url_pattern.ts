/**
 * URLs with holes, as string matchers have them: `https://*.shop.test/orders/:id?page=2`.
 *
 * @module
 */
import { OptionsError } from "../error.ts";
import { checkedPath, defaultPortField, hostField, hostPattern, pathField, portField, schemeField } from "./address.ts";
import type { Field } from "./field.ts";
import { defaultPort } from "../authority.ts";
import { queryFields } from "./query_pattern.ts";

/**
 * The fields that a URL pattern wants. A path alone (`/orders`) is at home on every host, a URL without a port has the
 * default port of its scheme, and parameters that the pattern does not name may be there or not.
 */
export function urlFields(pattern: string, where: string): Field[] {
  if (pattern === "*") return [];
  refuse(pattern, where);
  const mark = pattern.indexOf("?");
  const address = mark < 0 ? pattern : pattern.slice(0, mark);
  const query = mark < 0 ? [] : queryFields(pattern.slice(mark + 1));
  if (address.startsWith("/")) return [pathField(checkedPath(address, where)), ...query];
  return [...absolute(address, pattern, where), ...query];
}

function absolute(address: string, pattern: string, where: string): Field[] {
  const [, scheme, authority, path] = /^([^:/]*):\/\/([^/]*)(\/.*)?$/s.exec(address) ?? [];
  if (scheme === undefined || authority === undefined) throw notAbsolute(address, pattern, where);
  if (!/^(?:\*|https?|wss?)$/i.test(scheme)) {
    throw new OptionsError(
      `${where}: ${JSON.stringify(pattern)} has the scheme ${
        JSON.stringify(scheme)
      }: http, https, ws, wss and * are accepted`,
    );
  }
  if (authority.includes("@")) {
    throw new OptionsError(
      `${where}: ${JSON.stringify(pattern)} holds a user name, which is not a part of a request's URL`,
    );
  }
  const { host, port } = splitPort(authority, pattern, where);
  if (path === undefined && authority.endsWith("*")) {
    // "https://shop.test*" is meant as "all of shop.test", not as "shop.testing/".
    const all = `${scheme}://${authority.replace(/(?<=[^.*])\*+$/, "")}/*`;
    throw new OptionsError(
      `${where}: ${JSON.stringify(pattern)} has no path: write ${JSON.stringify(all)} for all paths`,
    );
  }
  const fields: Field[] = [];
  if (scheme !== "*") fields.push(schemeField(scheme.toLowerCase()));
  if (host !== "*") fields.push(hostField(hostPattern(host, where)));
  if (port === "") fields.push(scheme === "*" ? defaultPortField() : portField(defaultPort(scheme.toLowerCase())));
  else if (port !== "*") fields.push(portField(Number(port)));
  fields.push(pathField(checkedPath(path ?? "/", where)));
  return fields;
}

function splitPort(authority: string, pattern: string, where: string): { host: string; port: string } {
  const [, host, port = ""] = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(authority) ?? [];
  if (host === undefined || host === "") {
    throw new OptionsError(
      `${where}: ${
        JSON.stringify(pattern)
      } has no host that can be read: IPv6 addresses are written in brackets, [::1]`,
    );
  }
  if (!/^(?:\*|\d{0,5})$/.test(port) || Number(port) > 65535) {
    throw new OptionsError(
      `${where}: ${JSON.stringify(pattern)} has the port ${
        JSON.stringify(port)
      }: a number up to 65535 or * is accepted`,
    );
  }
  return { host, port };
}

/** What no URL pattern can mean, with what was probably meant. */
function refuse(pattern: string, where: string): void {
  const shown = JSON.stringify(pattern);
  if (/\s/.test(pattern)) {
    throw new OptionsError(`${where}: ${shown} holds white space: it is "METHOD url"; a space in a URL is %20`);
  }
  if (pattern.includes("#")) {
    throw new OptionsError(
      `${where}: ${shown} holds a fragment, which clients do not send: leave out "#" and what follows`,
    );
  }
  if (pattern.startsWith("//")) {
    throw new OptionsError(`${where}: ${shown} has no scheme: write ${JSON.stringify(`*:${pattern}`)} for any scheme`);
  }
}

function notAbsolute(address: string, pattern: string, where: string): OptionsError {
  const shown = JSON.stringify(pattern);
  if (/^[A-Za-z]+$/.test(address)) {
    return new OptionsError(
      `${where}: ${shown} is neither a path nor a URL: write "/${pattern}" for a path, ${
        JSON.stringify(`${pattern.toUpperCase()} *`)
      } for a method`,
    );
  }
  const slash = address.indexOf("/");
  return new OptionsError(
    `${where}: ${shown} is neither a path nor an absolute URL: write ${
      JSON.stringify(slash > 0 ? pattern.slice(slash) : `/${pattern}`)
    } for the path on any host, or ${JSON.stringify(`https://${pattern}`)} (*:// for any scheme)`,
  );
}
