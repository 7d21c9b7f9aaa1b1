/**
 * The options of a proxy from the command line and the file of rules.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ProxyOptions } from "../options/proxy_options.ts";
import type { TapeOptions } from "../tape/options.ts";
import type { Given } from "./given.ts";
import { readRules } from "./rules_file.ts";
import type { Terminal } from "./terminal.ts";

/**
 * What the file says, and over it what the command line says.
 *
 * @param tape what the command makes of the tape; `undefined`: what the file says of it
 */
export async function proxyOptions(
  given: Given,
  terminal: Terminal,
  tape?: Partial<TapeOptions>,
): Promise<ProxyOptions> {
  const rules = given.text("rules");
  const file = rules === undefined ? {} : await readRules(rules);
  const dir = given.text("ca-dir");
  const passthrough = given.texts("passthrough");
  const authorities = await Promise.all(given.texts("upstream-ca").map((path) => readFile(path, "utf8")));
  const hosts = Object.fromEntries(given.texts("resolve").map((pair) => hostOf(given, pair)));
  return {
    ...file,
    ...defined({ host: given.text("host"), port: given.number("port") }),
    ...(given.count("verbose") === 0 ? {} : { verbose: Math.min(3, given.count("verbose")) as 1 | 2 | 3 }),
    ...tapeOf(file.tape, tape),
    https: {
      ...file.https,
      ...(dir === undefined ? {} : { ca: { dir: expandHome(dir, terminal) } }),
      ...(passthrough.length === 0 ? {} : { passthrough }),
    },
    upstream: {
      ...file.upstream,
      ...(authorities.length === 0 ? {} : { ca: [...listOf(file.upstream?.ca), ...authorities] }),
      ...(given.flag("insecure") ? { verify: false } : {}),
      ...(given.texts("resolve").length === 0 ? {} : { hosts: { ...file.upstream?.hosts, ...hosts } }),
      ...defined({ proxy: given.text("upstream-proxy") }),
    },
  };
}

/** `~` in front of a path, which a shell leaves alone behind `=`. */
export function expandHome(path: string, { env }: Terminal): string {
  const home = env["HOME"];
  return home !== undefined && /^~(?=\/|$)/.test(path) ? home + path.slice(1) : resolve(path);
}

function tapeOf(file: ProxyOptions["tape"], own: Partial<TapeOptions> | undefined): { tape?: TapeOptions } {
  const options = typeof file === "string" ? { path: file } : file;
  if (own === undefined || (own.path ?? options?.path) === undefined) {
    return options === undefined ? {} : { tape: options };
  }
  return { tape: { ...options, ...defined(own) } as TapeOptions };
}

function hostOf(given: Given, pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at <= 0 || at === pair.length - 1) {
    throw given.wrong(`flowtape ${given.command}: --resolve takes name=host:port, not ${JSON.stringify(pair)}`);
  }
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>;
}
