/**
 * Which servers are reached without a proxy: the rules of NO_PROXY.
 *
 * @module
 */
import { OptionsError } from "../../../flow/error.ts";
import { addressBytes, unmapped } from "./ip_address.ts";

/** Whether a host and port are reached directly. The host may be in any case, IPv6 with or without brackets. */
export type NoProxy = (hostname: string, port: number) => boolean;

/**
 * Compiles a list of rules, with commas or white space between them.
 *
 * | rule | matches |
 * |---|---|
 * | `*` | everything |
 * | `shop.test`, `.shop.test`, `*.shop.test` | the name and all names below it, as curl and Python read all three |
 * | `shop.test:8443`, `127.0.0.1:80`, `[::1]:80` | the same on one port, as Go reads it |
 * | `127.0.0.1`, `::1`, `[::1]` | one address |
 * | `10.0.0.0/8`, `fd00::/8` | the addresses of a network, as curl and Go read it |
 * | `localhost` | this machine: `localhost` and names below it, 127.0.0.0/8 and `::1` |
 *
 * Where curl and Go differ: `.shop.test` does not match `shop.test` in Go; Go never uses a proxy for this machine, which
 * would leave a test, whose servers are all on it, no way to use one. Rules for addresses match addresses alone: names are
 * not resolved for them.
 *
 * @param option where the list was given, for messages
 * @throws {OptionsError} a rule cannot be read
 */
export function compileNoProxy(list: string, option = "upstream.noProxy"): NoProxy {
  const rules = list.split(/[\s,]+/).filter((it) => it !== "").map((it) => compileRule(it, option));
  return (hostname, port) => {
    if (rules.length === 0) return false;
    const host = hostOf(hostname);
    return rules.some((rule) => rule(host, port));
  };
}

interface Host {
  readonly name: string;
  readonly address: Uint8Array | undefined;
}

type Rule = (host: Host, port: number) => boolean;

function hostOf(hostname: string): Host {
  const name = hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
  const address = addressBytes(name);
  return { name, address: address && unmapped(address) };
}

function compileRule(text: string, option: string): Rule {
  if (text === "*") return () => true;
  const rule = networkRule(text) ?? hostRule(text);
  if (rule !== undefined) return rule;
  throw new OptionsError(
    `${option} has ${
      JSON.stringify(text)
    }: a name ("shop.test"), an address, a network ("10.0.0.0/8"), a name or address ` +
      `with a port ("shop.test:8443") or "*" is accepted`,
  );
}

function networkRule(text: string): Rule | undefined {
  const [, address = "", digits = ""] = /^([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(text) ?? [];
  const given = addressBytes(address);
  if (given === undefined || Number(digits) > given.length * 8) return undefined;
  const network = unmapped(given);
  const length = Number(digits) - (given.length - network.length) * 8;
  return length < 0 ? undefined : ({ address }) => address !== undefined && inNetwork(address, network, length);
}

function hostRule(text: string): Rule | undefined {
  const alone = addressBytes(text);
  if (alone !== undefined) return addressRule(alone, undefined);
  const [, bracketed, name = "", digits] = /^(?:\[([^\]]*)\]|([^:[\]/]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port === 0 || port > 65535)) return undefined;
  const address = addressBytes(bracketed ?? name);
  if (address !== undefined) return addressRule(address, port);
  return bracketed === undefined && NAME.test(name) ? nameRule(name, port) : undefined;
}

function addressRule(given: Uint8Array, only: number | undefined): Rule {
  const wanted = unmapped(given);
  return ({ address }, port) =>
    onPort(only, port) && address !== undefined && inNetwork(address, wanted, wanted.length * 8);
}

function nameRule(text: string, only: number | undefined): Rule {
  const name = text.toLowerCase().replace(/^\*?\./, "").replace(/\.$/, "");
  const below = `.${name}`;
  const local = name === "localhost";
  return (host, port) =>
    onPort(only, port) &&
    (host.address === undefined
      ? host.name === name || host.name.endsWith(below)
      : local && LOOPBACK.some(([network, length]) => inNetwork(host.address!, network, length)));
}

function onPort(only: number | undefined, port: number): boolean {
  return only === undefined || only === port;
}

function inNetwork(address: Uint8Array, network: Uint8Array, length: number): boolean {
  if (address.length !== network.length) return false;
  return network.every((byte, at) => {
    const bits = Math.min(8, Math.max(0, length - at * 8));
    return (byte ^ address[at]!) >> (8 - bits) === 0;
  });
}

const NAME = /^(?:\*?\.)?[^\s*.:/?#@[\]\\<>^`{|}"%]+(?:\.[^\s*.:/?#@[\]\\<>^`{|}"%]+)*\.?$/;

const LOOPBACK: readonly (readonly [Uint8Array, number])[] = [
  [addressBytes("127.0.0.0")!, 8],
  [addressBytes("::1")!, 128],
];
