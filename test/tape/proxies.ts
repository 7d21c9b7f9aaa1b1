/**
 * Proxies with tapes and an origin behind them, for the tests of modes and upkeep.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { type Proxy, type ProxyOptions, startProxy as start } from "../../src/mod.ts";
import type { HarEntry } from "../../src/tape/har.ts";

/** Status and body of an answer. */
export async function ask(proxy: Proxy, url: string, init?: RequestInit): Promise<string> {
  const response = await proxy.fetch(url, init);
  return `${response.status} ${await response.text()}`;
}

/** What is on a tape: method, path and answer of each entry. */
export async function entriesOf(path: string): Promise<string[]> {
  const { log } = JSON.parse(await readFile(path, "utf8")) as { log: { entries: HarEntry[] } };
  return log.entries.map(({ request, response }) =>
    `${request.method} ${new URL(request.url).pathname} ${response.content.text ?? response.content._file}`
  );
}

/**
 * Starts a proxy as if these were the variables that decide about modes, and no others: the tests of mode "auto" run on CI servers too.
 * They are as they were before anything waits: the files of tests that run in one process have them in common.
 */
export function startProxy(options: ProxyOptions = {}, env: Record<string, string> = {}): Promise<Proxy> {
  const names = new Set(["CI", "FLOWTAPE_MODE", "FLOWTAPE_USAGE", ...Object.keys(env)]);
  const before = Array.from(names, (name) => [name, process.env[name]] as const);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  for (const name of names) set(name, env[name]);
  try {
    return start(options);
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}
